"""The pages, one module each: a module here has `router() -> APIRouter` and is found by scan."""
