"""The API does what its description says, whatever it is asked: requests made up by Schemathesis."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.errors import SchemathesisError
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from search.service import Service
from search.web.app import create_app
from tests.cli_runner import toy_index
from tests.toy import ToyEncoder

pytestmark = pytest.mark.slow

TEXTS = ["good room", "bad room", "good food", "<script>alert(1)</script> pool", "staff"]
REQUESTS = 20
"""To each route, good ones and bad ones: about half a minute in all."""

REFUSED_FOR_WHAT_IT_SAYS: list[Any] = [positive_data_acceptance]
"""Left out: a label or a condition on metadata may fit its schema, and nothing that the index holds."""


@pytest.fixture(scope="module")
def app_schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.schemas.BaseSchema]:
    """Give the description of a server with one index."""
    folder = toy_index(tmp_path_factory.mktemp("contract") / "hotels", TEXTS, ToyEncoder())
    with Service({"hotels": folder}, load=lambda _: ToyEncoder()) as service:
        yield schemathesis.openapi.from_asgi("/api/openapi.json", create_app(service))


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_is_answered_otherwise_than_described(
    app_schema: schemathesis.schemas.BaseSchema, mode: GenerationMode
) -> None:
    """No 5xx, no undeclared status or media type, no answer that its schema does not allow: asked well, and badly."""
    wrong = []
    for result in app_schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        try:
            _ask(operation, mode)
        except Unsatisfiable:  # nothing of it can be asked badly
            assert mode is GenerationMode.NEGATIVE
        except (FailureGroup, SchemathesisError) as exc:
            wrong.append(f"{operation.label}: {exc}")
    assert wrong == []


def _ask(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=REQUESTS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case[Any]) -> None:
        if "name" in (case.path_parameters or {}):
            case.path_parameters["name"] = "hotels"  # other names are not found, and no more
        case.call_and_validate(excluded_checks=REFUSED_FOR_WHAT_IT_SAYS)

    ask()
