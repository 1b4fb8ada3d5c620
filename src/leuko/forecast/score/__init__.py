"""How good forecasts are: calibration, coverage, CRPS and Brier, beside naive forecasters, on counts really seen."""
