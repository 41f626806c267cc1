"""Features from a frozen network: files, unknown elements, batches."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.learning.crystals.crystal_samples import rock_salts
from tests.reference_data import reference

from tachylite.errors import InputError
from tachylite.learning.crystals.embedding import Embedding
from tachylite.learning.crystals.network import AtomNetwork, NetworkSettings


def small_embedding() -> Embedding:
    torch.manual_seed(3)
    elements = (3, 8, 9, 11, 12, 16, 17, 19, 20, 35, 38)
    settings = NetworkSettings(elements=elements, hidden="8x0e + 4x1o", cutoff_a=4.0, mean_neighbors=10)
    network = AtomNetwork(settings)
    weights = {name: parameter.detach().numpy() for name, parameter in network.named_parameters()}
    return Embedding("a small network", settings, weights)


def test_batches_do_not_matter_and_are_counted() -> None:
    states = rock_salts(90)
    done: list[int] = []
    together = small_embedding().features(states, done.append)
    apart = np.concatenate([small_embedding().features([state]) for state in states[::30]])
    np.testing.assert_allclose(together[::30], apart, atol=1e-5)
    assert done[-1] == 90
    assert len(done) > 1


def test_arrays_make_it_again() -> None:
    embedding = small_embedding()
    again = Embedding.from_arrays(embedding.arrays())
    assert (again.source, again.settings) == (embedding.source, embedding.settings)
    states = rock_salts(3)
    np.testing.assert_array_equal(again.features(states), embedding.features(states))


def test_an_unknown_element_is_named() -> None:
    embedding = small_embedding()
    fewer = embedding.settings.model_copy(update={"elements": embedding.settings.elements[1:]})
    with pytest.raises(InputError, match=r"does not know the elements with atomic numbers \[3\]"):
        Embedding("x", fewer, embedding.weights).features(rock_salts(1))


def test_a_file_that_is_none_of_nequix_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_text("hello\n")
    with pytest.raises(InputError, match="cannot be read as weights of Nequix"):
        Embedding.of_nequix(tmp_path / "x.pt", 2)
    (tmp_path / "y.pt").write_text(json.dumps({"cutoff": 5}) + "\n")
    with pytest.raises(InputError, match="cannot be read as weights of Nequix"):
        Embedding.of_nequix(tmp_path / "y.pt", 2)


@pytest.mark.reference("models/nequix")
def test_more_layers_than_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 3 layers to take features from; 4 were asked for"):
        Embedding.of_nequix(reference("models/nequix/nequix-omat-1.pt"), 4)
