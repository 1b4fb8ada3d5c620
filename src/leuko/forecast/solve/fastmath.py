"""Exponential and logarithm that LLVM can vectorise, for single and double precision, and the marrow's own functions
compiled with them.

Numba's `exp` calls a library for one number at a time, which keeps a loop over lanes scalar. These are polynomials
after range reduction: relative error below 3 units in the last place in single precision, below 14 in double.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from types import FunctionType
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from leuko.forecast import marrow
from leuko.forecast.solve.rows import LANES

# Without checks for division by zero, which keep a loop scalar; products may fuse with sums. What LLVM makes of that is
# kept as it is and read again (`native`), so code compiled just now and code from the cache give the same bits. INNER
# functions are called from compiled code only: no entry from Python is built for them, and nothing counts references.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "nsz", "arcp"}}
INNER = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}

LN2 = 0.6931471805599453
HIGH = 0.693359375  # ln 2 to 9 bits, so that a whole multiple of it is exact
_DIGITS = {32: (23, 127, 6, 5), 64: (52, 1023, 13, 11)}  # mantissa, bias, terms of exp, terms of log
_MOMENT_TERMS = 20
_EDGE = {32: 87.0, 64: 708.0}  # exp of more overflows, of less vanishes


def _width(ty: Any) -> int:
    return int(ty.bitwidth)


class _Emit:
    """Writes arithmetic on one floating-point type."""

    def __init__(self, builder: ir.IRBuilder, width: int) -> None:
        self.b, self.width = builder, width
        self.ty = ir.FloatType() if width == 32 else ir.DoubleType()
        self.int = ir.IntType(width)
        self.mantissa, self.bias, self.exp_terms, self.log_terms = _DIGITS[width]

    def c(self, value: float) -> ir.Constant:
        return ir.Constant(self.ty, value)

    def i(self, value: int) -> ir.Constant:
        return ir.Constant(self.int, value)

    def call(self, name: str, *args: ir.Value) -> ir.Value:
        suffix = "f32" if self.width == 32 else "f64"
        kind = ir.FunctionType(self.ty, [self.ty] * len(args))
        module = self.b.module
        full = f"llvm.{name}.{suffix}"
        fn = module.globals.get(full) or ir.Function(module, kind, full)
        return self.b.call(fn, args)

    def fma(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        return self.call("fma", x, y, z)

    def poly(self, x: ir.Value, coefficients: list[float]) -> ir.Value:
        """A polynomial, lowest power first, by Estrin's scheme: halves that do not wait for one another."""
        terms, power = [self.c(one) for one in coefficients], x
        while len(terms) > 1:
            paired = [self.fma(high, power, low) for low, high in zip(terms[::2], terms[1::2], strict=False)]
            terms = paired + terms[2 * len(paired) :]
            power = self.b.fmul(power, power)
        return terms[0]

    def exp(self, x: ir.Value) -> ir.Value:
        """2^n * e^r with r within half of ln 2; the argument is held within what the type can give.

        A number so large that its last digit is a whole one rounds for us, and has n in its last bits."""
        x = self.call("minnum", self.call("maxnum", x, self.c(-_EDGE[self.width])), self.c(_EDGE[self.width]))
        large = self.c(1.5 * 2.0**self.mantissa)
        whole = self.fma(x, self.c(1 / LN2), large)
        n = self.b.fsub(whole, large)
        r = self.fma(n, self.c(HIGH - LN2), self.fma(n, self.c(-HIGH), x))
        value = self.poly(r, [1.0 / factorial(k) for k in range(self.exp_terms + 1)])
        power = self.b.shl(self.b.bitcast(whole, self.int), self.i(self.mantissa))
        one = self.i(self.bias << self.mantissa)
        return self.b.fmul(value, self.b.bitcast(self.b.add(power, one), self.ty))

    def log(self, x: ir.Value) -> ir.Value:
        """Exponent times ln 2 plus 2 atanh((m - 1) / (m + 1)) of a mantissa between 1/sqrt 2 and sqrt 2."""
        b = self.b
        x = self.call("maxnum", x, self.c(1e-37 if self.width == 32 else 1e-300))
        bits = b.bitcast(x, self.int)
        root = 0x3F3504F3 if self.width == 32 else 0x3FE6A09E667F3BCD  # 1/sqrt 2
        shifted = b.sub(bits, self.i(root))
        power = b.ashr(shifted, self.i(self.mantissa))
        mantissa = b.bitcast(b.sub(bits, b.shl(power, self.i(self.mantissa))), self.ty)
        s = b.fdiv(b.fsub(mantissa, self.c(1.0)), b.fadd(mantissa, self.c(1.0)))
        tail = self.poly(b.fmul(s, s), [2.0 / (2 * k + 1) for k in range(self.log_terms)])
        return self.fma(b.sitofp(power, self.ty), self.c(LN2), b.fmul(s, tail))

    def _moment(self, x: ir.Value, order: int) -> ir.Value:
        series = [(-1.0) ** k / (factorial(k) * (k + order + 1)) for k in range(_MOMENT_TERMS)]
        return self.poly(x, series)

    def moment0(self, x: ir.Value) -> ir.Value:
        return self._moment(x, 0)

    def moment1(self, x: ir.Value) -> ir.Value:
        return self._moment(x, 1)

    def moment2(self, x: ir.Value) -> ir.Value:
        return self._moment(x, 2)


def _intrinsic(name: str) -> Any:
    def typed(_context: Any, x: Any) -> Any:
        if not isinstance(x, types.Float):
            return None

        def emit(_c: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(_Emit(builder, _width(signature.args[0])), name)(args[0])

        return x(x), emit

    typed.__name__ = f"fast_{name}"
    return intrinsic(typed)


fast_exp = _intrinsic("exp")
fast_log = _intrinsic("log")
# The integrals over u = 0..1 of exp(-x u), and of it times u and times u squared; x within 4 either way.
moment0, moment1, moment2 = (_intrinsic(f"moment{order}") for order in range(3))


def _copy_lanes(_typing: Any, target: Any, at: Any, source: Any, where: Any) -> Any:
    """A row of LANES numbers from one array of one dimension into another, by their first indices."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        into = context.make_array(signature.args[0])(context, builder, args[0]).data
        out_of = context.make_array(signature.args[2])(context, builder, args[2]).data
        size = context.get_abi_sizeof(context.get_value_type(signature.args[0].dtype))
        pointers = builder.gep(into, [args[1]]), builder.gep(out_of, [args[3]])
        cgutils.raw_memmove(builder, *pointers, ir.Constant(ir.IntType(64), LANES), size)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(target, at, source, where), emit


copy_lanes: Any = intrinsic(_copy_lanes)


def compiled(function: Callable[..., Any]) -> Any:
    """A function of `marrow`, compiled to be inlined, with the exponential and logarithm above (and so those of
    `marrow` that it calls)."""
    name = function.__name__
    if name not in _DONE:
        own = {other: getattr(marrow, other) for other in function.__code__.co_names}
        calls = {other: compiled(one) for other, one in own.items() if isinstance(one, FunctionType)}
        copy = FunctionType(function.__code__, {**calls, "exp": fast_exp, "log": fast_log}, name)
        _DONE[name] = njit(**INNER, forceinline=True)(copy)
    return _DONE[name]


_DONE: dict[str, Any] = {}
