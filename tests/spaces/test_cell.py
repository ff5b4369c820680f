"""The other encodings of a cell: operation names, adjacency matrix, NASLib's numbers, paths, connectivity."""

import numpy as np
import pytest

from natslib.errors import UnknownArchitecture
from natslib.spaces import TOPOLOGY
from natslib.spaces.topology import (
    OPS,
    from_naslib,
    is_connected,
    matrix,
    op_names,
    path_encoding,
    to_naslib,
)

CODE = (4, 0, 3, 1, 2, 0)  # every operation, and `none` twice


def test_op_names_are_in_the_order_of_the_edges():
    assert op_names(CODE) == (OPS[4], "none", "nor_conv_3x3", "skip_connect", "nor_conv_1x1", "none")


def test_matrix_has_the_official_layout():
    """The example of the official `str2matrix`: rows are targets, columns sources."""
    string = "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"
    expected = [[0, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    np.testing.assert_array_equal(matrix(TOPOLOGY.code(string)), expected)
    np.testing.assert_array_equal(matrix(CODE), [[0, 0, 0, 0], [4, 0, 0, 0], [0, 3, 0, 0], [1, 2, 0, 0]])


def test_naslib_lists_edges_by_source_and_has_its_own_numbers():
    """Edges 0→1, 0→2, 0→3, 1→2, 1→3, 2→3; 0 skip, 1 none, 2 conv 3x3, 3 conv 1x1, 4 pool."""
    assert to_naslib(CODE).tolist() == [4, 1, 0, 2, 3, 1]
    assert to_naslib((3, 0, 3, 1, 0, 1)).tolist() == [2, 1, 0, 2, 1, 0]


def test_what_naslib_numbers_comes_back_for_every_cell():
    codes = TOPOLOGY.codes()
    np.testing.assert_array_equal(from_naslib(to_naslib(codes)), codes)


def test_encodings_tell_all_cells_apart():
    codes = TOPOLOGY.codes()
    for encoded in (matrix(codes).reshape(len(codes), -1), to_naslib(codes)):
        assert len(np.unique(encoded, axis=0)) == len(codes)


@pytest.mark.parametrize("call", [to_naslib, from_naslib, matrix, path_encoding, is_connected])
@pytest.mark.parametrize("wrong", [(0, 1), (0, 0, 0, 0, 0, 5), (0, 0, 0, 0, 0, -1), (0.0,) * 6])
def test_wrong_codes_are_refused(call, wrong):
    with pytest.raises(UnknownArchitecture, match=r"unknown code .*allowed"):
        call(wrong)


def test_path_encoding_as_naszilla_numbers_it():
    """Pool 0, conv 1x1 1, conv 3x3 2, none 3, skip 4; the first operation of a path varies fastest."""
    places = np.flatnonzero(path_encoding(CODE))
    direct, over_1, over_2, over_both = 4, 5 + 0 + 5 * 1, 5 + 3 + 5 * 3, 30 + 0 + 5 * 2 + 25 * 3
    assert places.tolist() == sorted((direct, over_1, over_2, over_both))


def test_path_encoding_marks_three_or_four_paths():
    encoded = path_encoding(TOPOLOGY.codes())
    assert encoded.shape == (15_625, 155)
    assert encoded.dtype == np.float32
    assert set(np.unique(encoded.sum(axis=1))) == {3.0, 4.0}
    np.testing.assert_array_equal(path_encoding(TOPOLOGY.code(5)), encoded[5])


def test_connectivity_counts():
    assert is_connected(TOPOLOGY.codes()).sum() == 15_284
    assert is_connected((0, 0, 0, 1, 0, 0))
    assert not is_connected((1, 0, 0, 0, 0, 1))
