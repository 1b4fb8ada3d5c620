"""When will it recover, and what if: marrow models, this person's posterior, options weighed against it."""
