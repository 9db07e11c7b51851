import { make } from "../shell/dom.ts";
import type { GivenFile } from "../worker/lab/lab-requests.ts";

/** Functions that the drop area calls with the files of the reader. */
export interface DropActions {
  readonly onFiles: (files: readonly GivenFile[]) => void;
  /** Called if the reader wants the example networks. */
  readonly onExamples: () => void;
}

/** Creates the area in which files are dropped, which is also a field in which they are chosen. */
export function createDropArea({ onFiles, onExamples }: DropActions): HTMLElement {
  const input = make("input", { type: "file", multiple: "", id: "lab-files", class: "unseen" });
  const examples = make(
    "button",
    { type: "button", class: "quiet", id: "lab-examples" },
    "Try with two digit networks",
  );
  const area = make(
    "div",
    { class: "drop" },
    make("p", { class: "big" }, "Drop networks, a graph, examples or a recipe here"),
    input,
    make(
      "p",
      { class: "choose" },
      make("label", { for: "lab-files", class: "button" }, "Choose files"),
      examples,
    ),
    make(
      "p",
      { class: "small" },
      "safetensors, PyTorch, NumPy, GGUF, ONNX (with the .onnx.data beside it, if there is one). Files of any size: only the parts that are needed are read, here, on your machine; nothing is uploaded.",
    ),
  );
  input.addEventListener("change", () => {
    onFiles([...(input.files ?? [])].map((content) => ({ path: content.name, content })));
    input.value = "";
  });
  examples.addEventListener("click", onExamples);
  followDrags(area, onFiles);
  return area;
}

/** Takes files wherever on the page they are dropped, as the browser would leave the page for one beside the area. */
function followDrags(area: HTMLElement, onFiles: DropActions["onFiles"]): void {
  const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") === true;
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    area.classList.add("over");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) area.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    area.classList.remove("over");
    area.scrollIntoView({ block: "nearest" });
    onFiles(await takeDropped(event.dataTransfer));
  });
}

/** Lists the dropped files, and those in dropped folders under the names of the folders. */
async function takeDropped(transfer: DataTransfer | null): Promise<GivenFile[]> {
  // Entries must be taken before the first wait: the browser forgets the items then.
  const items = [...(transfer?.items ?? [])].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const lists = await Promise.all(entries.map((entry) => (entry === null ? [] : listEntry(entry))));
  return lists.flat();
}

async function listEntry(entry: FileSystemEntry | File): Promise<GivenFile[]> {
  if (entry instanceof File) return [{ path: entry.name, content: entry }];
  if (entry.isFile) {
    const content = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path: entry.fullPath.replace(/^\//, ""), content }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: GivenFile[] = [];
  for (;;) {
    // A folder is listed part by part, until a part is empty.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return found;
    for (const inner of part) if (!inner.name.startsWith(".")) found.push(...(await listEntry(inner)));
  }
}
