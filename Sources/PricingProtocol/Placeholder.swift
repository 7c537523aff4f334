enum PricingProtocolPlaceholder {}
