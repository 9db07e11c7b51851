import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isIsthmusError } from "@isthmus/core";
import { networkOfConfig } from "@isthmus/zoo";
import { expect, test } from "vitest";
import { CONFIG_DEFAULTS } from "../src/models/config-defaults.ts";
import { MODEL_TYPES } from "../src/models/model-types.ts";

type Fields = Readonly<Record<string, unknown>>;

const read = <Entry>(name: string): Readonly<Record<string, Entry>> =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json.golden`, import.meta.url), "utf8"));

/** Defaults of the config classes of transformers and diffusers, by the type of the model. */
const classes = read<Fields>("config-defaults");

/** A config by its type, as it is published. */
const configs = new Map(
  [
    ...Object.values(read<{ config: Fields }>("families")),
    ...Object.values(read<{ config: Fields }>("unets")),
  ]
    .reverse()
    .map(({ config }) => [config["model_type"] ?? config["_class_name"], config]),
);

/** Builds the graph of a config whose texts have some fields; undefined if the config is refused. */
function graphOf(config: Fields, fields: Fields): unknown {
  const texts = config["text_config"] as Fields | undefined;
  const isInside = texts !== undefined && config["projection_dim"] === undefined;
  const changed = isInside ? { ...config, text_config: { ...texts, ...fields } } : { ...config, ...fields };
  try {
    return networkOfConfig(changed).graph;
  } catch (error) {
    if (isIsthmusError(error)) return undefined;
    throw error;
  }
}

test.each(MODEL_TYPES)("fields that a config of %s does not state have the values of its class", (type) => {
  const stated = Object.keys(CONFIG_DEFAULTS[type]);
  const ofClass = Object.fromEntries(stated.map((field) => [field, classes[type]?.[field]]));
  expect(CONFIG_DEFAULTS[type]).toEqual(ofClass);
});

test.each(MODEL_TYPES)("networks of %s depend on no other default, or require the field", (type) => {
  const config = { ...configs.get(type === "qwen2_5_vl" ? "qwen2_vl" : type) };
  const others = Object.entries(classes[type] as Fields).filter(
    ([field]) => !(field in CONFIG_DEFAULTS[type]),
  );
  const wrong = others.filter(([field, value]) => {
    const absent = graphOf(config, { [field]: undefined });
    return absent !== undefined && !isDeepStrictEqual(absent, graphOf(config, { [field]: value }));
  });
  expect(wrong).toEqual([]);
});
