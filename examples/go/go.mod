module pricingd.example/client

go 1.19
