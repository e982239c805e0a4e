from typing import Any

import numba
import pytest

from mqlml.features.compiling import compiled_once


def test_without_a_folder_for_machine_code_a_kernel_is_compiled_in_each_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def njit(**options: Any) -> Any:
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled_once(len) is len
    assert asked == [{"cache": True, "nogil": True}, {"nogil": True}]
