import type { NetworkComparison, PairComparison } from "../comparison.ts";
import { countTensors, listSome, type MergeFinding, nameNetwork, nameNetworks } from "./merge-finding.ts";

/** Finds tensors of two networks that differ in name, shape or element type. */
export function findStructure(comparison: NetworkComparison): MergeFinding[] {
  return comparison.pairs.flatMap((pair) => [
    ...findNames(comparison, pair),
    ...findShapes(comparison, pair),
    ...findTypes(comparison, pair),
    ...findModelTypes(comparison, pair),
  ]);
}

function findNames(comparison: NetworkComparison, { a, b, onlyA, onlyB }: PairComparison): MergeFinding[] {
  const sides = [
    { index: a, names: onlyA },
    { index: b, names: onlyB },
  ].filter(({ names }) => names.length > 0);
  if (sides.length === 0) return [];
  const texts = sides.map(
    ({ index, names }) =>
      `${countTensors(names.length)} of ${nameNetwork(comparison, index)} (${listSome(names)})`,
  );
  return [
    {
      kind: "names",
      severity: "warning",
      networks: [a, b],
      message: `${texts.join(" and ")} ${sides.length === 1 ? "are not in the other" : "are in one of the two only"}: ${nameNetworks(comparison, [a, b])}`,
      advice:
        "merge networks of one architecture, or say in a recipe which tensors are taken from which (filters, modules)",
    },
  ];
}

function findShapes(
  comparison: NetworkComparison,
  { a, b, shapes, vocabulary }: PairComparison,
): MergeFinding[] {
  const isVocabulary = (one: readonly number[], two: readonly number[]) =>
    vocabulary !== null &&
    vocabulary.rows[0] !== vocabulary.rows[1] &&
    one[0] === vocabulary.rows[0] &&
    two[0] === vocabulary.rows[1];
  const others = shapes.filter((shape) => !isVocabulary(shape.a, shape.b));
  const [first] = others;
  const findings: MergeFinding[] = [];
  if (first !== undefined) {
    findings.push({
      kind: "shapes",
      severity: "warning",
      networks: [a, b],
      message: `${countTensors(others.length)} of ${nameNetworks(comparison, [a, b])} differ in shape: "${first.name}" is [${first.a}] and [${first.b}]`,
      advice:
        "merge networks of one size; layers can be taken from one of them only (in a recipe: modules, slices), and networks that differ in width alone are joined by isthmus fuse",
    });
  }
  if (vocabulary !== null && vocabulary.rows[0] !== vocabulary.rows[1]) {
    findings.push({
      kind: "vocabulary-size",
      severity: "warning",
      networks: [a, b],
      message: `the vocabularies of ${nameNetworks(comparison, [a, b])} have ${vocabulary.rows.join(" and ")} rows ("${vocabulary.tensor}")`,
      advice:
        "put rows of tokens in one order by a recipe with tokenizer: { source: union }, or base for the tokens of the base",
    });
  }
  return findings;
}

function findTypes(comparison: NetworkComparison, { a, b, dtypes }: PairComparison): MergeFinding[] {
  const [first] = dtypes;
  if (first === undefined) return [];
  return [
    {
      kind: "dtypes",
      severity: "note",
      networks: [a, b],
      message: `${countTensors(dtypes.length)} of ${nameNetworks(comparison, [a, b])} differ in type: "${first.name}" is ${first.a} and ${first.b}`,
      advice:
        "choose the type of the result by --dtype (in a recipe: dtype, out_dtype); else it is that of the first network",
    },
  ];
}

function findModelTypes(comparison: NetworkComparison, { a, b }: PairComparison): MergeFinding[] {
  const [one, two] = [a, b].map((index) => comparison.networks[index]?.facts?.modelType ?? null);
  if (!one || !two || one === two) return [];
  return [
    {
      kind: "model-types",
      severity: "warning",
      networks: [a, b],
      message: `the configs of ${nameNetworks(comparison, [a, b])} say ${one} and ${two}`,
      advice: "merge models of one type: equal names of tensors do not mean the same in both",
    },
  ];
}
