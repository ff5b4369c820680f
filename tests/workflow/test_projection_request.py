from dataclasses import replace

import pandas as pd
import pytest

from natslib.errors import BadSource, ConfigError
from natslib.workflow.projection_request import ProjectionRequest

REQUEST = ProjectionRequest("published", "nowhere", "digits", 777, "a", "b", "c", "d")


def test_it_names_the_records_that_are_not_there(tmp_path) -> None:
    with pytest.raises(BadSource, match=r"tss-digits.parquet: no such file"):
        _ = REQUEST.records
    pd.DataFrame({"epoch": [0]}).to_parquet(tmp_path / "tss-digits.parquet")
    found = replace(REQUEST, searches=str(tmp_path))
    assert found.records == tmp_path / "tss-digits.parquet"
    with pytest.raises(BadSource, match="not a file of joined searches"):
        found.provenance()


def test_it_refuses_a_negative_seed_and_a_stem_with_a_suffix() -> None:
    with pytest.raises(ConfigError, match="seed is -1; allowed is 0 or more"):
        replace(REQUEST, seed=-1)
    with pytest.raises(ConfigError, match=r"figure_rows is 'a.svg'"):
        replace(REQUEST, figure_rows="a.svg")
