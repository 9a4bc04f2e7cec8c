"""Arrays as compiled code sees them through an address: no more than where they begin and how long they are.

Numba passes an array as seven words and more, counts references to it and lets indices count from its end. The
simulator hands three dozen arrays from function to function. As tables they are two or three words each, and a bundle
of tables is one word: the address of a list of their addresses. Both compiling and running are quicker so. A table is
indexed as the array is, by a whole number for every axis; it is an attribute of its bundle, as the array is of a tuple.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, infer_global, signature
from numba.extending import intrinsic, lower_builtin, make_attribute_wrapper, models, register_model
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


class Field(NamedTuple):
    """An array of a bundle: the type of its items and its shape, lengths or the names of sizes."""

    dtype: Any
    shape: tuple[int | str, ...]


class Bundle(types.Type):  # type: ignore[misc]
    """The type of an address where 64-bit words stand: sizes first, then addresses of arrays.

    Args:
        name: Of the bundle.
        sizes: Place of each size by name.
        fields: The arrays by name.
        places: Place of each array's address by name.
    """

    def __init__(
        self, name: str, sizes: Mapping[str, int], fields: Mapping[str, Field], places: Mapping[str, int]
    ) -> None:
        self.sizes, self.fields, self.places = sizes, fields, places
        self.tables = {
            field: Table(str(np.dtype(of.dtype)), from_dtype(np.dtype(of.dtype)), len(of.shape))
            for field, of in fields.items()
        }
        super().__init__(f"Bundle({name})")


@register_model(Bundle)
class _BundleModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, bundle: Bundle) -> None:
        super().__init__(manager, bundle, [("words", types.CPointer(types.int64))])


@infer_getattr
class _BundleAttribute(AttributeTemplate):  # type: ignore[misc]
    key = Bundle

    def generic_resolve(self, bundle: Bundle, name: str) -> Any:
        return bundle.tables.get(name)


@lower_getattr_generic(Bundle)  # type: ignore[untyped-decorator]
def _get_table(context: Any, builder: Any, bundle: Bundle, value: Any, name: str) -> Any:
    words = cgutils.create_struct_proxy(bundle)(context, builder, value=value).words

    def word(place: int) -> Any:
        loaded = builder.load(builder.gep(words, [context.get_constant(types.intp, place)], inbounds=True))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))  # no call changes where arrays are
        return loaded

    view = cgutils.create_struct_proxy(bundle.tables[name])(context, builder)
    view.data = builder.inttoptr(word(bundle.places[name]), cgutils.voidptr_t)
    lengths = [
        context.get_constant(types.intp, length) if isinstance(length, int) else word(bundle.sizes[length])
        for length in bundle.fields[name].shape
    ]
    view.shape = cgutils.pack_array(builder, lengths, ty=ir.IntType(64))
    return view._getvalue()


def bundle_maker(bundle: Bundle) -> Any:
    """For compiled code, a function from an address to the bundle that stands there."""

    @intrinsic  # type: ignore[untyped-decorator]
    def make(_: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, of: Any, arguments: Any) -> Any:
            view = cgutils.create_struct_proxy(bundle)(context, builder)
            view.words = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
            return view._getvalue()

        return bundle(types.int64), generate

    return make


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_: Any, address: Any) -> Any:
    """In compiled code: ask for the cache line at an address, and go on meanwhile."""

    def generate(context: Any, builder: Any, of: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_write, keep, data = word(1), word(3), word(1)
        builder.call(fetch, [builder.inttoptr(arguments[0], cgutils.voidptr_t), to_write, keep, data])
        return context.get_dummy_value()

    return types.none(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def address_of(_: Any, table: Any) -> Any:
    """In compiled code: where a table begins."""

    def generate(context: Any, builder: Any, of: Any, arguments: Any) -> Any:
        view = cgutils.create_struct_proxy(of.args[0])(context, builder, value=arguments[0])
        return builder.ptrtoint(view.data, ir.IntType(64))

    return types.int64(table), generate
