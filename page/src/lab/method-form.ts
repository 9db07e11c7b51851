import { make } from "../shell/dom.ts";
import type { KnownMethod, MethodParameter } from "../worker/lab/lab-requests.ts";
import { type RecipeChoice, writeRecipe } from "./recipe-text.ts";

/** The form in which a merge is chosen. */
export interface MethodForm {
  readonly element: HTMLElement;
  /** Offers networks, the graph by which they can be aligned, and methods. */
  offer(networks: readonly string[], graph: string | undefined): void;
  /** Takes the methods, once they are known. */
  take(methods: readonly KnownMethod[]): void;
}

/**
 * Creates a form for the methods of merging; its fields are made from the methods' own definitions.
 * @param onRecipe - called with the recipe that the form describes, whenever it changes
 */
export function createMethodForm(onRecipe: (recipe: string) => void): MethodForm {
  const method = make("select", { id: "lab-method" });
  const base = make("select", { id: "lab-base" });
  const baseLabel = make("label", {}, "Base ", base);
  const align = make("input", { type: "checkbox", id: "lab-merge-align" });
  const alignLabel = make("label", {}, align, " align to the first network before");
  const about = make("p", { class: "small" });
  const fields = make("div", { class: "parameters" });
  let methods: readonly KnownMethod[] = [];
  let networks: readonly string[] = [];
  const chosen = () => methods.find(({ name }) => name === method.value);
  const merged = () => networks.filter((path) => path !== base.value || chosen()?.base === "none");
  const write = () => {
    const found = chosen();
    if (found === undefined || networks.length === 0) return;
    const inputs = [...fields.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[data-parameter]")];
    const values = new Map(inputs.map((input) => [input.dataset["parameter"] ?? "", input.value]));
    const choice: RecipeChoice = {
      method: found,
      networks: merged(),
      base: found.base === "none" || base.value === "" ? undefined : base.value,
      align: align.checked,
      values,
    };
    onRecipe(writeRecipe(choice));
  };
  const show = () => {
    const found = chosen();
    if (found === undefined) return;
    about.textContent = `${found.description} Source: ${found.source}.`;
    baseLabel.hidden = found.base === "none";
    if (found.base === "required" && base.value === "") base.value = networks.at(-1) ?? "";
    fields.replaceChildren(...found.parameters.flatMap((parameter) => fieldsOf(parameter, merged())));
  };
  method.addEventListener("change", () => {
    show();
    write();
  });
  base.addEventListener("change", () => {
    show();
    write();
  });
  align.addEventListener("change", write);
  fields.addEventListener("input", write);
  return {
    element: make(
      "div",
      { class: "form" },
      make("p", { class: "row" }, make("label", {}, "Method ", method), baseLabel, alignLabel),
      about,
      fields,
    ),
    offer(paths, graph) {
      networks = paths;
      const before = base.value;
      base.replaceChildren(
        make("option", { value: "" }, "none"),
        ...paths.map((path) => make("option", { value: path }, path)),
      );
      base.value = paths.includes(before) ? before : "";
      align.disabled = graph === undefined;
      if (graph === undefined) align.checked = false;
      show();
      write();
    },
    take(known) {
      methods = known;
      method.replaceChildren(...known.map(({ name }) => make("option", { value: name }, name)));
      show();
      write();
    },
  };
}

function fieldsOf(parameter: MethodParameter, networks: readonly string[]): HTMLElement[] {
  const { name, description, of, default: usual } = parameter;
  const isNeeded = usual === undefined;
  const initial = (index: number) => (isNeeded ? firstValue(parameter, index, networks.length) : "");
  const named =
    of === "merge" ? [["", name] as const] : networks.map((path, index) => [`:${index}`, path] as const);
  const inputs = named.map(([suffix, label], index) => {
    const input = inputOf(parameter, initial(index));
    input.dataset["parameter"] = `${name}${suffix}`;
    input.setAttribute("aria-label", of === "merge" ? name : `${name} of ${label}`);
    return of === "merge" ? input : make("label", {}, `${label} `, input);
  });
  return [
    make(
      "fieldset",
      {},
      make("legend", {}, name),
      make("p", { class: "small" }, `${description}${rangeOf(parameter)}`),
      ...inputs,
    ),
  ];
}

function inputOf({ default: usual, least, most, whole, choices }: MethodParameter, value: string) {
  const words = typeof usual === "boolean" ? ["true", "false"] : choices.map(String);
  if (words.length > 0) {
    const options = words.map((word) => make("option", { value: word === String(usual) ? "" : word }, word));
    return make("select", {}, ...options);
  }
  return make("input", {
    ...(typeof usual === "string" ? { type: "text" } : { type: "number", step: whole ? "1" : "any" }),
    ...(least === undefined ? {} : { min: String(least) }),
    ...(most === undefined ? {} : { max: String(most) }),
    placeholder: usual === undefined ? "" : String(usual),
    value,
  });
}

/** Returns a first value of a parameter that has no default: equal shares, or the middle of its range. */
function firstValue({ of, least, most }: MethodParameter, _index: number, networks: number): string {
  if (of === "network") return String(Number((1 / networks).toPrecision(3)));
  return least !== undefined && most !== undefined ? String((least + most) / 2) : "1";
}

function rangeOf({ default: usual, least, most }: MethodParameter): string {
  const range =
    least === undefined && most === undefined ? "" : ` From ${least ?? "any"} to ${most ?? "any"}.`;
  return `${range}${usual === undefined ? " Needed." : ` Default ${usual}.`}`;
}
