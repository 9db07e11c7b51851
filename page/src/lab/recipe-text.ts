import type { KnownMethod, MethodParameter } from "../worker/lab/lab-requests.ts";

/** Values of a method's parameters, as the form holds them. */
export type ParameterValues = ReadonlyMap<string, string>;

/** Choices of the form, from which a recipe is written. */
export interface RecipeChoice {
  readonly method: KnownMethod;
  readonly networks: readonly string[];
  readonly base: string | undefined;
  /** Whether networks are aligned to the first. */
  readonly align: boolean;
  /** Values that differ from the defaults, by `name` or, for one network, `name:index`. */
  readonly values: ParameterValues;
}

/** Writes a recipe, as mergekit and Isthmus read it. */
export function writeRecipe({ method, networks, base, align, values }: RecipeChoice): string {
  const given = (parameter: MethodParameter, index?: number): string[] => {
    const value = values.get(index === undefined ? parameter.name : `${parameter.name}:${index}`) ?? "";
    return value === "" ? [] : [`${parameter.name}: ${value}`];
  };
  const ofNetwork = method.parameters.filter((parameter) => parameter.of === "network");
  const ofMerge = method.parameters
    .filter((parameter) => parameter.of === "merge")
    .flatMap((one) => given(one));
  const models = networks.flatMap((path, index) => {
    const own = ofNetwork.flatMap((parameter) => given(parameter, index));
    return [
      `  - model: ${quote(path)}`,
      ...(align && index > 0 ? ["    align: true"] : []),
      ...(own.length === 0 ? [] : [`    parameters: { ${own.join(", ")} }`]),
    ];
  });
  return [
    `merge_method: ${method.name}`,
    ...(base === undefined ? [] : [`base_model: ${quote(base)}`]),
    "models:",
    ...models,
    ...(ofMerge.length === 0 ? [] : ["parameters:", ...ofMerge.map((line) => `  ${line}`)]),
    "",
  ].join("\n");
}

/** Writes a path as YAML reads it back. */
export function quote(path: string): string {
  return /^[\w][\w./-]*$/.test(path) && !/^(?:[\d.]+|true|false|null|yes|no|on|off|[yn])$/i.test(path)
    ? path
    : JSON.stringify(path);
}
