import { formatShape } from "@isthmus/core";
import { make } from "../shell/dom.ts";
import { formatBytes } from "../worker/lab/format-bytes.ts";
import type { Inspected, KnownFile, WithCommand } from "../worker/lab/lab-requests.ts";
import { messageOf, showCommand } from "./step.ts";
import { createTable } from "./table.ts";

/** Actions of the buttons beside each file of the list. */
export interface FileActions {
  readonly inspect: (path: string) => Promise<WithCommand<Inspected>>;
  readonly remove: (path: string) => void;
}

/** Shows files, each with what it is, and what is in it if that is asked for. */
export function showFiles(list: HTMLElement, files: readonly KnownFile[], actions: FileActions): void {
  list.replaceChildren(...files.map((file) => showFile(file, actions)));
}

function showFile(
  { path, bytes, use, what, problem }: KnownFile,
  { inspect, remove }: FileActions,
): HTMLElement {
  const inside = make("div", { class: "inside" });
  const look = make("button", { type: "button", class: "quiet", "aria-expanded": "false" }, "Look inside");
  const drop = make("button", { type: "button", class: "quiet", "aria-label": `Remove ${path}` }, "Remove");
  drop.addEventListener("click", () => remove(path));
  look.addEventListener("click", async () => {
    const isOpen = look.getAttribute("aria-expanded") === "true";
    look.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) return inside.replaceChildren();
    inside.replaceChildren(make("p", {}, "Reading …"));
    try {
      inside.replaceChildren(...showInside(path, await inspect(path)));
    } catch (error) {
      inside.replaceChildren(make("p", { class: "bad" }, messageOf(error)));
    }
  });
  const canLook = problem === undefined && (use === "network" || use === "graph" || use === "part");
  return make(
    "li",
    { "data-use": use },
    make("b", {}, path),
    make("span", { class: "what" }, `${use === "part" ? "a shard" : what}, ${formatBytes(bytes)}`),
    make("span", { class: "acts" }, ...(canLook ? [look] : []), drop),
    ...(problem === undefined ? [] : [make("p", { class: "bad" }, problem)]),
    inside,
  );
}

function showInside(path: string, { tensors, facts, command }: WithCommand<Inspected>): HTMLElement[] {
  const table = createTable(`Tensors of ${path}`, ["Tensor", "Type", "Shape", ">Size"], "tensor");
  const search = make("input", {
    type: "search",
    placeholder: "part of a name",
    "aria-label": `Search the tensors of ${path}`,
  });
  const fill = () => {
    const part = search.value.toLowerCase();
    const found = part === "" ? tensors : tensors.filter(({ name }) => name.toLowerCase().includes(part));
    table.fill(
      found.map(({ name, dtype, shape, bytes }) => [name, dtype, formatShape(shape), formatBytes(bytes)]),
    );
  };
  search.addEventListener("input", fill);
  fill();
  const list = facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  return [make("dl", { class: "facts" }, ...list), search, table.element, showCommand(command)];
}
