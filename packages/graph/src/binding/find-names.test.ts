import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findNames, writtenPrefix } from "./find-names.ts";

const GRAPH = ["conv1.weight", "conv1.bias", "bn1.weight", "fc.weight"];

const find = (names: readonly string[], graph = GRAPH, prefix?: string) =>
  findNames(graph, { source: "a.pt", names }, prefix);

describe("findNames()", () => {
  test("takes names as they are where they are the graph's", () => {
    const { prefix, graphPrefix, outside, stored } = find([...GRAPH, "bn1.running_mean"]);
    expect({ prefix, graphPrefix, outside }).toEqual({ prefix: "", graphPrefix: "", outside: [] });
    expect(stored.get("bn1.running_mean")).toBe("bn1.running_mean");
  });

  test("finds any prefix that wrappers and containers put before all names", () => {
    const part = fc.constantFrom("module", "model", "net", "state_dict", "encoder", "x");
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const prefix = parts.map((name) => `${name}.`).join("");
        const network = find(GRAPH.map((name) => prefix + name));
        expect(network.prefix).toBe(prefix);
        expect([...network.stored]).toEqual(GRAPH.map((name) => [name, prefix + name]));
      }),
    );
  });

  test("leaves out the parts that compiling and sharding put in, wherever they stand", () => {
    const names = ["_orig_mod.conv1.weight", "_orig_mod.conv1.bias", "bn1._fsdp_wrapped_module.weight"];
    expect([...find(names).stored.keys()]).toEqual(["conv1.weight", "conv1.bias", "bn1.weight"]);
    const both = find(GRAPH.map((name) => `_orig_mod.module.${name}`));
    expect(both.prefix).toBe("module.");
    expect(both.stored.get("fc.weight")).toBe("_orig_mod.module.fc.weight");
  });

  test("says the prefix as it is written, and takes it so", () => {
    const names = GRAPH.map((name) => `module._orig_mod.${name}`);
    expect(find(names).prefix).toBe("module.");
    expect(writtenPrefix(find(names))).toBe("module._orig_mod.");
    expect(find(names, GRAPH, "module._orig_mod.").stored).toEqual(find(names).stored);
    expect(writtenPrefix(find(["bn1._fsdp_wrapped_module.weight", "fc.weight"]))).toBe("");
  });

  test("tells copies of the network from other tensors, once the prefix is given", () => {
    const names = ["state_dict", "ema"].flatMap((network) => GRAPH.map((name) => `${network}.${name}`));
    const { copies, outside } = find([...names, "head.weight"], GRAPH, "state_dict.");
    expect(copies).toEqual(GRAPH.map((name) => `ema.${name}`));
    expect(outside).toEqual(["head.weight"]);
    const deep = names.map((name) => name.replace(".", ".net."));
    expect(find(deep, GRAPH, "state_dict.").prefix).toBe("state_dict.net.");
    expect(find(deep, GRAPH, "state_dict.").copies).toHaveLength(GRAPH.length);
  });

  test("names the tensors that stand outside of the network", () => {
    const names = [...GRAPH.map((name) => `model.${name}`), "opt.state.0.exp_avg"];
    expect(find(names).outside).toEqual(["opt.state.0.exp_avg"]);
  });

  test("finds the prefix that a wrapper has in the graph, and keeps it as the network's name", () => {
    const wrapped = GRAPH.map((name) => `model.${name}`);
    const { prefix, graphPrefix, stored } = find(GRAPH, wrapped);
    expect({ prefix, graphPrefix }).toEqual({ prefix: "", graphPrefix: "model." });
    expect(stored.get("model.fc.weight")).toBe("fc.weight");
  });

  test("takes away what containers are called where it shares no names with the graph", () => {
    const network = find(["module.a.weight", "module.a.bias"], ["val_1", "val_2"]);
    expect([...network.stored.keys()]).toEqual(["a.weight", "a.bias"]);
    expect(find(["a.weight", "a.bias"], ["val_1"]).prefix).toBe("");
  });

  test("a prefix does not count for a network under the graph's own names, beside one that has it", () => {
    expect(find(GRAPH, GRAPH, "student.")).toEqual(find(GRAPH, GRAPH));
  });

  test("refuses to choose between two networks, without a prefix", () => {
    const names = ["ema", "model"].flatMap((network) => GRAPH.map((name) => `${network}.${name}`));
    expect(() => find(names)).toThrow(
      'Cannot find the network in "a.pt" as one must fit the graph: those under "ema." and "model." both do; say which with --prefix',
    );
    expect(find(names, GRAPH, "ema.").stored.get("fc.weight")).toBe("ema.fc.weight");
    expect(() => find(names, GRAPH, "student.")).toThrow('its names must begin with "student."');
  });
});
