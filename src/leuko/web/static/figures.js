// Figures: replaced below.
