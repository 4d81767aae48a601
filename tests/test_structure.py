"""The package's shape: imports only go down, libraries stay where they belong, and nothing heavy comes in early."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import search

READING_ORDER = """
search search.errors search.progress search.processes search.records search.files
search.compressed search.encodings search.lines search.similarity search.splitting search.units search.tables
search.reader_pdf search.reader_docx search.reader_html search.documents search.reading search.corpus search.labelled
search.checkpoint search.encoder search.encoder_huggingface
search.fast_build search.openvino_engine search.padding search.openvino_queries search.encoder_openvino search.encoders
search.store search.store_faiss search.structure_faiss search.store_record search.approximate search.nearest
search.choosing search.metrics
search.canaries search.origin search.lock search.manifest
search.stored search.sqlite_file search.sentence_file search.sentence_writer search.row_file
search.sources search.builds search.index_writer search.index_reader
search.structuring search.encoded_once search.planning search.pruning
search.indexing search.format_1 search.salvaging search.rewriting
search.compacting search.repairing search.verifying
search.words search.filters search.query search.word_shares search.explaining
search.explaining_pairs search.data_records
search.index search.langchain search.cue_words search.negation search.opposites search.dates
search.number_words search.quantities search.edits search.guard search.pairs search.threshold search.changes
search.stored_rows search.compared search.exact search.decisions search.near search.joining
search.lists search.workers search.committed search.levels search.clusters search.keeping search.refusals
search.threshold_auto search.gathered search.duplicates search.working_index search.thresholds search.deduplicated
search.single_page search.report
search.marks search.projection search.index_map search.map_picture search.map_page
search.service search.mcp_tools search.once search.duplicates_once search.maps_once
search.measurements search.evaluate_rows search.evaluate_search search.evaluate search.evaluation_picture
search.agreement search.openvino_outliers search.openvino_graph search.compiling
search.training_options search.holding_back search.training_data search.methods search.pair_data search.settling
search.label_figures search.training_watch search.joint search.training_run search.training search.head
search.contrastive search.few search.pair_training search.model_card search.training_folder search.finetune
search.web.guarding search.web.models search.web.problems search.web.time_limit search.web.counting
search.web.known search.web.duplicates search.web.maps search.web.page search.web.app search.web.serving search.web
search.cli.options search.cli.loading search.cli.explained search.cli.output
search.cli.compile search.cli.finetune search.cli.index
search.cli.prompt search.cli.query search.cli.duplicates_inputs search.cli.duplicates_options
search.cli.duplicates_output search.cli.duplicates search.cli.map
search.cli.serve search.cli.mcp search.cli.evaluate search.cli.info search.cli.verify
search.cli.repair search.cli.compact search.cli.main search.cli search.__main__
""".split()
"""Every module, from the ground up: each imports only those before it."""

LIBRARIES = {
    "accelerate": {"search.processes"},
    "chardet": {"search.encodings"},
    "click": {module for module in READING_ORDER if module.startswith("search.cli.")} - {"search.cli.explained"}
    | {"search.web.serving"},
    "datasets": {
        "search.contrastive",
        "search.joint",
        "search.pair_data",
        "search.pair_training",
        "search.training_data",
        "search.training_run",
    },
    "docx": {"search.reader_docx"},
    "faiss": {"search.store_faiss", "search.structure_faiss"},
    "fastapi": {f"search.web.{name}" for name in "app duplicates known maps models page problems".split()},
    "filelock": {"search.lock"},
    "huggingface_hub": {"search.checkpoint"},
    "langchain_core": {"search.langchain"},
    "langchain_huggingface": {"search.encoder_huggingface"},
    "lxml": {"search.reader_docx", "search.reader_html"},
    "markdown_it": {"search.splitting"},
    "matplotlib": {"search.evaluation_picture", "search.map_picture", "search.model_card"},
    "mcp": {"search.mcp_tools"},
    "nncf": {"search.openvino_graph"},
    "openTSNE": {"search.projection"},
    "openvino": {
        "search.encoder_openvino",
        "search.openvino_engine",
        "search.openvino_graph",
        "search.openvino_outliers",
        "search.openvino_queries",
    },
    "prometheus_client": {"search.web.counting"},
    "pyarrow": {"search.deduplicated", "search.tables", "search.training_data"},
    "pypdfium2": {"search.reader_pdf"},
    "pydantic": {"search.mcp_tools", "search.web.models"},
    "rensa": {"search.near"},
    "rich": {"search.cli.explained", "search.cli.output"},
    "safetensors": {"search.encoder_huggingface", "search.joint", "search.training_folder"},
    "scipy": {"search.evaluate_rows", "search.head", "search.metrics", "search.pair_training", "search.pairs"}
    | {"search.threshold"},
    "sentence_transformers": {"search.joint", "search.pair_training", "search.training", "search.training_run"}
    | {"search.training_watch", "search.contrastive", "search.few", "search.openvino_graph"},
    "sentencex": {"search.splitting"},
    "sklearn": {"search.projection"},
    "sqlglot": {"search.filters"},
    "text_to_num": {"search.number_words"},
    "torch": {"search.joint", "search.pair_training", "search.processes", "search.training_run"}
    | {"search.training_watch", "search.contrastive", "search.few", "search.openvino_graph"},
    "starlette": {
        f"search.web.{name}" for name in "app counting duplicates guarding known maps problems time_limit".split()
    },
    "tokenizers": {"search.encoder_openvino", "search.openvino_graph"},
    "transformers": {"search.encoder_huggingface", "search.few", "search.training_run", "search.training_watch"},
    "uvicorn": {"search.web.serving"},
    "zstandard": {"search.compressed", "search.deduplicated"},
}
"""Which modules import which library, numpy aside; a change of library is a change of these modules alone."""

HEAVY = {"numpy", *LIBRARIES} - {"click"}

_PACKAGE = Path(search.__file__).parent


def _module(path: Path) -> str:
    parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


TREES = {_module(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(_PACKAGE.rglob("*.py"))}


def imports(tree: ast.Module) -> set[str]:
    """Name what a module imports, anywhere in it; `from package import module` counts as the module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            module = node.module or ""
            for name in node.names:
                inner = f"{module}.{name.name}"
                found.add(inner if inner in TREES else module)
    return found


def defined(tree: ast.Module) -> set[str]:
    """Name the functions, classes and constants defined at a module's top."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update(one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
    return found


def exported(tree: ast.Module) -> list[str]:
    """Return the names of `__all__`."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name) and target.id == "__all__":
            assert node.value is not None
            names: list[str] = ast.literal_eval(node.value)
            return names
    raise AssertionError("no __all__")


def test_every_module_has_its_place() -> None:
    """The reading order names every module once, and no other."""
    assert sorted(READING_ORDER) == sorted(TREES)


@pytest.mark.parametrize("module", READING_ORDER)
def test_imports_only_go_down(module: str) -> None:
    """A module imports only modules before it in the reading order, also inside functions and for types alone."""
    own = {name for name in imports(TREES[module]) if name.split(".")[0] == "search"}
    assert own <= set(READING_ORDER[: READING_ORDER.index(module)])


def test_libraries_are_imported_where_they_belong() -> None:
    """Each third-party library is imported by exactly the modules that are said to need it."""
    found: dict[str, set[str]] = {}
    for module, tree in TREES.items():
        for library in {name.split(".")[0] for name in imports(tree)}:
            if library not in sys.stdlib_module_names | {"search", "numpy"}:
                found.setdefault(library, set()).add(module)
    assert found == LIBRARIES


@pytest.mark.parametrize("module", READING_ORDER)
def test_all_is_what_is_public(module: str) -> None:
    """`__all__` lists the public names a module defines; a package's lists what it shows of its modules."""
    public = {name for name in defined(TREES[module]) if not name.startswith("_")}
    shown = {"search": {"__version__"}, "search.cli": {"main"}}.get(module, public)
    names = exported(TREES[module])
    assert sorted(names) == sorted(shown | public)


@pytest.mark.parametrize("module", READING_ORDER)
def test_everything_public_is_described(module: str) -> None:
    """Each module, and each public function and class in it, has a docstring."""
    tree = TREES[module]
    silent = [] if ast.get_docstring(tree) else [module]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            silent += [] if ast.get_docstring(node) else [node.name]
    assert silent == []


@pytest.mark.slow
def test_importing_the_command_imports_nothing_heavy() -> None:
    """`import search, search.cli` leaves numpy, torch, FAISS and every other library but click alone."""
    code = "import sys, search, search.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.slow
def test_help_is_instant() -> None:
    """`kindred --help` names the commands in under a second, the best of three."""
    command = [str(Path(sys.executable).with_name("kindred")), "--help"]
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - begin)
        listed = [line.split()[0] for line in run.stdout.partition("Commands:")[2].splitlines() if line.strip()]
        assert (
            listed
            == "finetune compile index query duplicates map serve mcp evaluate info verify repair compact".split()
        )
    assert min(seconds) < 1.0
