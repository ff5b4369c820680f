"""What `natslib convert --explain` says: how a table is understood, or a mapping drafted for it."""

import pytest
import yaml

from natslib.commands import main
from natslib.commands.convert import EXAMPLE, LONG
from natslib.spaces import get_space
from natslib.tables import convert
from natslib.tables.format.schema import UNITS
from natslib.tables.sources.draft import draft
from natslib.tables.sources.explain import explain

WIDE = (
    "arch,c10_valid_200,c10_test200_mean,cifar100-val-acc-777,top5,latency,params,elapsed,note\n"
    f"{get_space('tss').string(6111)},91.6,94.37,73.1,99.1,0.0125,1.07,2879.7,best\n"
)


def test_a_table_is_explained_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "in.csv").write_text("id;acc;lat\n6111;91,607;0,5\n137;;0,25\n")
    target = "{dataset: cifar10-valid, recipe: 12, split: valid, seed: mean, metric: accuracy}"
    (tmp_path / "m.yaml").write_text(f"space: tss\narch: id\ncolumns: {{acc: {target}}}")
    call = ["convert", str(tmp_path / "in.csv"), str(tmp_path / "t"), "--columns", str(tmp_path / "m.yaml")]
    assert main([*call, "--explain"]) == 0
    out = capsys.readouterr().out
    assert "2 rows, topology space, separator ';', decimal sign ','" in out
    assert f"row 1: '6111' is architecture 6111, {get_space('tss').string(6111)}" in out
    assert (
        " ".join(out.splitlines()[3].split()) == "acc cifar10-valid 12 valid mean accuracy % 1 91.607 91.607"
    )
    assert "not used: lat" in out
    assert not (tmp_path / "t").exists()


def test_what_converting_would_refuse_explaining_refuses(tmp_path, capsys):
    (tmp_path / "in.csv").write_text("id,acc\n6111,91\n6111,92\n")
    target = "{dataset: cifar10-valid, recipe: 12, split: valid, seed: mean, metric: accuracy}"
    (tmp_path / "m.yaml").write_text(f"space: tss\narch: id\ncolumns: {{acc: {target}}}")
    call = ["convert", str(tmp_path / "in.csv"), str(tmp_path / "t"), "--columns", str(tmp_path / "m.yaml")]
    assert main([*call, "--explain"]) == 1
    assert "row 1 of in.csv and row 2 of in.csv" in capsys.readouterr().err


def test_a_draft_knows_what_names_say_and_marks_the_rest(tmp_path):
    (tmp_path / "in.csv").write_text(WIDE)
    text = draft(tmp_path / "in.csv")
    mapping = yaml.load(text, yaml.BaseLoader)
    assert (mapping["space"], mapping["arch"]) == ("tss", "arch")
    said = {name: " ".join(target.values()) for name, target in mapping["columns"].items()}
    assert said == {
        "c10_valid_200": "cifar10-valid 200 valid ? accuracy",
        "c10_test200_mean": "cifar10 200 test mean accuracy",
        "cifar100-val-acc-777": "cifar100 ? valid 777 accuracy",
        "top5": "? ? ? ? top5",
        "latency": "? ? ? ? latency_s",
        "params": "? ? ? ? params_m",
        "elapsed": "? ? ? ? ?",
    }
    assert "elapsed" in text.partition("# ? time_s (s an epoch or pass) or total_time_s")[0].splitlines()[-1]
    assert "# not used: note (no numbers)" in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,acc\n7,80\n", {"space": "?", "arch": "id"}),
        ("cell,acc\n001234,80\n", {"encoding": "?"}),
        ('cell,acc\n"(4, 2, 1, 2, 1, 1)",80\n', {"space": "tss", "arch": "cell", "encoding": "?"}),
        ('net,acc\n"(4, 2, 1, 2, 1)",80\n', {"space": "sss", "arch": "net", "encoding": "code"}),
        ("a,b,c,d,e,acc\n8,16,24,8,64,80\n", {"arch": list("abcde"), "encoding": "names", "space": "sss"}),
        (
            "arch,set,data,epoch,Seed,data_set,hp,loss\n7,val,1,0,777,C10,short,2.1\n",
            {
                "keys": {
                    "dataset": "data_set",
                    "seed": "Seed",
                    "recipe": "hp",
                    "split": "set",
                    "epoch": "epoch",
                },
                "names": {"C10": "cifar10", "val": "valid"},
                "epochs": {"short": "?"},
                "columns": {"loss": {"metric": "loss"}},
            },
        ),
        ("arch,dataset,acc\n7,pets,80\n", {"datasets": ["pets"], "keys": {"dataset": "dataset"}}),
    ],
)
def test_a_draft_finds_architectures_and_keys(tmp_path, content, expected):
    (tmp_path / "in.csv").write_text(content)
    mapping = yaml.load(draft(tmp_path / "in.csv"), yaml.BaseLoader)
    assert {key: mapping.get(key) for key in expected} == expected


def test_a_draft_is_refused_until_it_is_filled_in_and_then_read(tmp_path, capsys):
    (tmp_path / "in.csv").write_text(WIDE)
    call = ["convert", str(tmp_path / "in.csv"), str(tmp_path / "t")]
    assert main(call) == 1
    assert "--columns mine.yaml; `natslib convert" in capsys.readouterr().err
    assert main([*call, "--explain"]) == 0
    (tmp_path / "m.yaml").write_text(text := capsys.readouterr().out)
    assert main([*call, "--columns", str(tmp_path / "m.yaml")]) == 1
    assert "'?'" in capsys.readouterr().err
    filled = text.replace('metric: "?"', "metric: total_time_s").replace('split: "?"', "split: train")
    filled = filled.replace('seed: "?"', "seed: 777").replace('recipe: "?"', "recipe: 200")
    (tmp_path / "m.yaml").write_text(filled.replace('dataset: "?"', "dataset: cifar10-valid"))
    assert main([*call, "--columns", str(tmp_path / "m.yaml")]) == 0


@pytest.mark.parametrize("text", [EXAMPLE, LONG])
def test_the_mappings_in_the_help_are_read(tmp_path, text):
    (tmp_path / "m.yaml").write_text(text)
    rows = {
        EXAMPLE: "arch,val_acc,latency\n5,91.5,0.1\n",
        LONG: "arch,data,seed,epochs,set,acc,loss\n5,c100,7,12,val,80,1\n",
    }
    (tmp_path / "in.csv").write_text(rows[text])
    assert convert(tmp_path / "in.csv", tmp_path / "t", columns=tmp_path / "m.yaml")["rows"] in (1, 2)
    assert "row 1: '5' is architecture 5" in explain(tmp_path / "in.csv", tmp_path / "m.yaml")


def test_the_help_says_the_unit_of_each_metric(capsys):
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    out = capsys.readouterr().out
    assert all(f"  {metric}: {unit}\n" in out for metric, unit in UNITS.items())
