"""Which keys a form knows at a place, to tell somebody who wrote another one."""

from typing import Any, get_args

from pydantic import BaseModel

from directive_etl.registry.mistakes import Place


def known_keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys of the form at a place, in its order; those of every alternative where it has some."""
    forms: list[Any] = [model]
    for part in place:
        forms = [inner for form in forms for inner in _step(form, part)]
    keys = [key for form in forms if _is_model(form) for key in form.model_fields]
    return list(dict.fromkeys(keys))


def _step(form: Any, part: str | int) -> list[Any]:
    if _is_model(form):
        field = form.model_fields.get(part)
        return _alternatives(field.annotation) if field is not None else []
    # A list or tuple has one kind of entry; a mapping has the kind of its keys first.
    arguments = [one for one in get_args(form) if one is not Ellipsis]
    return _alternatives(arguments[-1]) if arguments else []


def _alternatives(annotation: Any) -> list[Any]:
    """Return the types that an annotation may mean, without Annotated, Optional and Union around them."""
    if hasattr(annotation, "__metadata__"):
        return _alternatives(annotation.__origin__)
    origin_is_union = getattr(annotation, "__origin__", type(annotation)).__name__ in ("Union", "UnionType")
    if origin_is_union:
        return [inner for one in get_args(annotation) for inner in _alternatives(one)]
    return [annotation]


def _is_model(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, BaseModel)
