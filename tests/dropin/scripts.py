"""Scripts in the style of those that papers publish; they know the official package by one line."""

IMPORT_NATS = "from nats_bench import create"
IMPORT_201 = "from nas_201_api import NASBench201API as API"

REGULARIZED_EVOLUTION = f"""
import argparse, collections, random
import numpy as np
{IMPORT_NATS}

class Model:
    def __init__(self):
        self.arch, self.accuracy = None, None

def distance(one, other):
    return int((api.str2matrix(one) != api.str2matrix(other)).sum())

def mutate(arch, pool):
    others = [other for other in pool if other != arch]
    nearest = min(distance(arch, other) for other in others)
    return random.choice([other for other in others if distance(arch, other) == nearest])

def evolve(pool, dataset, time_budget, population_size=4, sample_size=2):
    api.reset_time()
    population, history, total = collections.deque(), [], [0]
    def trained(arch):
        model = Model()
        model.arch = arch
        model.accuracy, latency, cost, total_cost = api.simulate_train_eval(arch, dataset, iepoch=11, hp="12")
        total.append(total_cost)
        history.append((model.accuracy, arch))
        return model
    while len(population) < population_size:
        population.append(trained(random.choice(pool)))
    while total[-1] < time_budget:
        parent = max(random.choices(population, k=sample_size), key=lambda model: model.accuracy)
        population.append(trained(mutate(parent.arch, pool)))
        population.popleft()
    return max(history, key=lambda one: one[0]), total[-1]

parser = argparse.ArgumentParser()
parser.add_argument("--path")
args = parser.parse_args()
api = create(args.path, "tss", fast_mode=True, verbose=False)
random.seed(3)
(best, arch), seconds = evolve([api.arch(index) for index in range(60)], "cifar10", 3000.0)
index = api.query_index_by_arch(arch)
info = api.get_more_info(index, "cifar10", hp="200", is_random=False)
print(index, best, seconds, api.used_time, info["test-accuracy"], api.get_unique_str(index))
print(api.random(), api.str2lists(arch))
"""

PREDICTOR = f"""
import sys
import numpy as np
{IMPORT_NATS}

api = create(sys.argv[1], "tss", fast_mode=True, verbose=False)
features, targets, costs = [], [], []
for index, arch in enumerate(api):
    if index >= 60:
        break
    matrix = api.str2matrix(arch)
    one_hot = np.eye(5)[matrix[np.tril_indices(4, -1)].astype(int)].ravel()
    info = api.get_more_info(index, "cifar100", hp="200", is_random=False)
    at = [api.get_more_info(index, "cifar100", iepoch=e, hp="12", is_random=False) for e in range(12)]
    curve = [info_at["valid-accuracy"] for info_at in at]
    features.append(np.append(one_hot, curve[-1]))
    targets.append(info["test-accuracy"])
    costs.append(api.get_cost_info(index, "cifar100")["flops"])
    api.clear_params(index)
    api.arch2infos_dict.clear()
X, y = np.array(features), np.array(targets)
weights, *_ = np.linalg.lstsq(X[:40], y[:40], rcond=None)
errors = np.abs(X[40:] @ weights - y[40:])
print(round(float(errors.mean()), 6), sum(costs), len(api), sorted(api.avaliable_hps))
for dataset, split in (("cifar10", "valid"), ("cifar10", "test"), ("ImageNet16-120", "valid")):
    print(dataset, split, *api.find_best(dataset, split, hp="200", enforce_all=False))
"""

ZERO_COST = f"""
import sys
import numpy as np
{IMPORT_201}

api = API(sys.argv[1], verbose=False)
scores, accuracies = [], []
for index in range(0, 40):
    config = api.get_net_config(index, "cifar10")
    text = api.query_by_arch(api[index], "200")
    lines = text.split("\\n")
    assert lines[0] == config["arch_str"] == api.arch(index)
    params = float(lines[4].split("Params=")[1].split(" MB")[0])
    convolutions = config["arch_str"].count("nor_conv") * config["C"] * config["N"]
    scores.append(np.log(params) + convolutions / 1000)
    meta = api.query_meta_info_by_index(index, hp="200")
    accuracies.append(meta.get_metrics("cifar10", "ori-test")["accuracy"])
    results = api.query_by_index(index, "cifar100", hp="200")
    assert all(result.get_total_epoch() == 200 for result in results.values())
    accuracies[-1] += np.mean([result.get_eval("x-test")["accuracy"] for result in results.values()])
print(np.corrcoef(scores, accuracies)[0, 1], np.argmax(accuracies), max(accuracies))
print(api.query_index_by_arch(api.meta_archs[17]), len(api))
"""

SCRIPTS = {"evolution": REGULARIZED_EVOLUTION, "predictor": PREDICTOR, "zero-cost": ZERO_COST}
