// The slider of a day: the page knows each price of it, so that moving asks nobody.
const slider = document.getElementById("f-slide");
const time = document.getElementById("f-at");
const two = (number) => String(number).padStart(2, "0");
const clock = (minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;

const rows = [...document.querySelectorAll("[data-course]")].map((price) => {
  const [change, since, why] = [...price.closest("tr").querySelectorAll("td > span")];
  return { price, change, since, why, course: JSON.parse(price.dataset.course) };
});

const show = (minute) => {
  for (const row of rows) {
    const [from, price, change, why] = row.course.findLast((move) => move[0] <= minute) ?? row.course[0];
    row.price.textContent = price;
    row.change.textContent = change;
    row.since.textContent = clock(from);
    row.why.textContent = why;
  }
};

slider.closest(".field").hidden = false;
slider.addEventListener("input", () => {
  time.value = clock(Number(slider.value));
  show(Number(slider.value));
});
time.addEventListener("input", () => {
  const [hour, minute] = time.value.split(":").map(Number);
  if (Number.isNaN(hour + minute)) return;
  slider.value = String(hour * 60 + minute);
  show(hour * 60 + minute);
});
