import { make } from "../shell/dom.ts";
import type { KnownMethod, MethodParameter } from "../worker/lab/lab-requests.ts";
import { writeRecipe } from "./recipe-text.ts";

/** Names of the methods that are offered first. */
const MOST_USED = ["linear", "slerp", "ties"];

/** The form in which a merge is chosen; its fields are made from the methods' own definitions. */
export class MethodForm {
  readonly element: HTMLElement;
  readonly #onRecipe: (recipe: string) => void;
  readonly #method = make("select", { id: "lab-method" });
  readonly #base = make("select", { id: "lab-base" });
  readonly #baseLabel = make("label", {}, "Base ", this.#base);
  readonly #align = make("input", { type: "checkbox", id: "lab-merge-align" });
  readonly #about = make("p", { class: "small" });
  readonly #fields = make("div", { class: "parameters" });
  #methods: readonly KnownMethod[] = [];
  #networks: readonly string[] = [];

  /** @param onRecipe - called with the recipe that the form describes, whenever it changes */
  constructor(onRecipe: (recipe: string) => void) {
    this.#onRecipe = onRecipe;
    const alignLabel = make("label", {}, this.#align, " align to the first network before");
    this.element = make(
      "div",
      { class: "form" },
      make("p", { class: "row" }, make("label", {}, "Method ", this.#method), this.#baseLabel, alignLabel),
      this.#about,
      this.#fields,
    );
    for (const field of [this.#method, this.#base]) field.addEventListener("input", () => this.#showMethod());
    this.element.addEventListener("input", () => this.#write());
  }

  /** Takes the methods, once they are known. */
  take(methods: readonly KnownMethod[]): void {
    this.#methods = methods;
    const group = (label: string, isCommon: boolean) =>
      make(
        "optgroup",
        { label },
        ...methods
          .filter(({ name }) => MOST_USED.includes(name) === isCommon)
          .map(({ name }) => make("option", { value: name }, name)),
      );
    this.#method.replaceChildren(group("most used", true), group("all others", false));
    this.#showMethod();
    this.#write();
  }

  /** Offers networks, and the graph by which they can be aligned. */
  offer(networks: readonly string[], graph: string | undefined): void {
    this.#networks = networks;
    const before = this.#base.value;
    const options = networks.map((path) => make("option", { value: path }, path));
    this.#base.replaceChildren(make("option", { value: "" }, "none"), ...options);
    this.#base.value = networks.includes(before) ? before : "";
    this.#align.disabled = graph === undefined;
    if (graph === undefined) this.#align.checked = false;
    this.#showMethod();
    this.#write();
  }

  get #chosen(): KnownMethod | undefined {
    return this.#methods.find(({ name }) => name === this.#method.value);
  }

  /** Networks that are merged, which a base is not. */
  get #merged(): readonly string[] {
    const hasBase = this.#chosen?.base !== "none";
    return this.#networks.filter((path) => !hasBase || path !== this.#base.value);
  }

  #showMethod(): void {
    const method = this.#chosen;
    if (method === undefined) return;
    this.#about.textContent = `${method.description} Source: ${method.source}.`;
    this.#baseLabel.hidden = method.base === "none";
    if (method.base === "required" && this.#base.value === "") this.#base.value = this.#networks.at(-1) ?? "";
    this.#fields.replaceChildren(...method.parameters.map((parameter) => fieldsOf(parameter, this.#merged)));
  }

  #write(): void {
    const method = this.#chosen;
    if (method === undefined || this.#networks.length === 0) return;
    const fields = [
      ...this.#fields.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[data-parameter]"),
    ];
    this.#onRecipe(
      writeRecipe({
        method,
        networks: this.#merged,
        base: method.base === "none" || this.#base.value === "" ? undefined : this.#base.value,
        align: this.#align.checked,
        values: new Map(fields.map((field) => [field.dataset["parameter"] ?? "", field.value])),
      }),
    );
  }
}

function fieldsOf(parameter: MethodParameter, networks: readonly string[]): HTMLElement {
  const { name, description, of, default: usual } = parameter;
  const initial = usual === undefined ? firstValue(parameter, networks.length) : "";
  const field = (key: string, label: string) => {
    const input = inputOf(parameter, initial);
    input.dataset["parameter"] = key;
    input.setAttribute("aria-label", label);
    return input;
  };
  const fields =
    of === "merge"
      ? [field(name, name)]
      : networks.map((path, index) =>
          make("label", {}, `${path} `, field(`${name}:${index}`, `${name} of ${path}`)),
        );
  return make(
    "fieldset",
    {},
    make("legend", {}, name),
    make("p", { class: "small" }, `${description}${rangeOf(parameter)}`),
    ...fields,
  );
}

function inputOf({ default: usual, least, most, whole, choices }: MethodParameter, value: string) {
  const words = typeof usual === "boolean" ? ["true", "false"] : choices.map(String);
  if (words.length > 0) {
    // The default is no value: it is not written into the recipe.
    const options = words.map((word) => make("option", { value: word === String(usual) ? "" : word }, word));
    const field = make("select", {}, ...options);
    if (usual !== undefined) field.value = "";
    return field;
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
function firstValue({ of, least, most }: MethodParameter, networks: number): string {
  if (of === "network") return String(Number((1 / networks).toPrecision(3)));
  return least !== undefined && most !== undefined ? String((least + most) / 2) : "1";
}

function rangeOf({ default: usual, least, most }: MethodParameter): string {
  const range =
    least === undefined && most === undefined ? "" : ` From ${least ?? "any"} to ${most ?? "any"}.`;
  return `${range}${usual === undefined ? " Needed." : ` Default ${usual}.`}`;
}
