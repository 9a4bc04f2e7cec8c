"""Arrays as compiled code sees them through an address: no more than where they begin and how long they are.

Numba passes an array as seven words and more, counts references to it and lets indices count from its end. The
simulator hands two dozen arrays from function to function; as tables they are two or three words each, and both
compiling and running are quicker. A table is indexed as the array is, by a whole number for every axis.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    make_attribute_wrapper,
    models,
    register_model,
)
from numba.np.numpy_support import from_dtype


class Table(types.Type):  # type: ignore[misc]
    """The type of a contiguous array of `ndim` axes, its items of the numba type `item`, that outlives the call."""

    def __init__(self, name: str, item: Any, ndim: int) -> None:
        self.item, self.ndim = item, ndim
        super().__init__(f"Table({name}, {ndim})")


@register_model(Table)
class _TableModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, table: Table) -> None:
        super().__init__(manager, table, [("data", types.voidptr), ("shape", types.UniTuple(types.intp, table.ndim))])


make_attribute_wrapper(Table, "shape", "shape")


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, arguments: Any, _: Any) -> Any:
        table, index = arguments
        return signature(table.item, table, index) if isinstance(table, Table) else None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, arguments: Any, _: Any) -> Any:
        table, index, _value = arguments
        return signature(types.none, table, index, table.item) if isinstance(table, Table) else None


def _address(context: Any, builder: Any, table_type: Any, table: Any, index_type: Any, index: Any) -> Any:
    """Where an item is: the indices, the last running fastest, times its size."""
    view = cgutils.create_struct_proxy(table_type)(context, builder, value=table)
    is_tuple = isinstance(index_type, types.BaseTuple)
    indices = cgutils.unpack_tuple(builder, index) if is_tuple else [index]
    kinds = list(index_type) if is_tuple else [index_type]
    shape = cgutils.unpack_tuple(builder, view.shape)
    place = context.get_constant(types.intp, 0)
    for length, kind, part in zip(shape, kinds, indices, strict=True):
        place = builder.add(builder.mul(place, length), context.cast(builder, part, kind, types.intp))
    size = context.get_abi_sizeof(context.get_data_type(table_type.item))
    offset = builder.mul(place, context.get_constant(types.intp, size))
    item = builder.gep(view.data, [offset], inbounds=True)
    return builder.bitcast(item, context.get_data_type(table_type.item).as_pointer())


@lower_builtin(operator.getitem, Table, types.Any)  # type: ignore[untyped-decorator]
def _get_item(context: Any, builder: Any, of: Any, arguments: Any) -> Any:
    item = _address(context, builder, of.args[0], arguments[0], of.args[1], arguments[1])
    if isinstance(of.args[0].item, types.Record):
        return item
    return context.unpack_value(builder, of.args[0].item, item)


@lower_builtin(operator.setitem, Table, types.Any, types.Any)  # type: ignore[untyped-decorator]
def _set_item(context: Any, builder: Any, of: Any, arguments: Any) -> Any:
    item = _address(context, builder, of.args[0], arguments[0], of.args[1], arguments[1])
    context.pack_value(builder, of.args[0].item, arguments[2], item)
    return context.get_dummy_value()


def table_maker(name: str, dtype: Any, ndim: int) -> Any:
    """For compiled code, a function from an address and a shape to a table of a NumPy dtype, whose name is `name`."""
    kind = Table(name, from_dtype(np.dtype(dtype)), ndim)

    @intrinsic  # type: ignore[untyped-decorator]
    def make(_: Any, address: Any, shape: Any) -> Any:
        def generate(context: Any, builder: Any, of: Any, arguments: Any) -> Any:
            view = cgutils.create_struct_proxy(kind)(context, builder)
            view.data = builder.inttoptr(arguments[0], cgutils.voidptr_t)
            view.shape = context.cast(builder, arguments[1], of.args[1], types.UniTuple(types.intp, ndim))
            return view._getvalue()

        return kind(types.int64, shape), generate

    return make
