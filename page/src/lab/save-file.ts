import { make } from "../shell/dom.ts";
import { download } from "../shell/download.ts";
import { formatBytes } from "../worker/lab/format-bytes.ts";
import type { WrittenFile } from "../worker/lab/lab-requests.ts";
import { formatPercent } from "./format.ts";
import type { LabMachine } from "./lab-machine.ts";
import { messageOf } from "./step.ts";

/** The part of browsers' newer functions that is used here. */
interface SavePicker {
  showSaveFilePicker?(options: { readonly suggestedName: string }): Promise<{
    createWritable(): Promise<WritableStream<Uint8Array>>;
  }>;
}

/** Shows a file of the page's storage, with buttons to save it and to remove it. */
export function showWritten(machine: LabMachine, { name, bytes }: WrittenFile): HTMLElement {
  const save = make("button", { type: "button", class: "save" }, `Save ${name}, ${formatBytes(bytes)}`);
  const discard = make(
    "button",
    { type: "button", class: "quiet", "aria-label": `Remove ${name} from this browser` },
    "Remove",
  );
  const say = make("p", { class: "say", role: "status" });
  const item = make("li", {}, save, discard, say);
  const attempt = async (act: () => Promise<void>) => {
    save.disabled = true;
    try {
      await act();
    } catch (error) {
      if ((error as Error).name !== "AbortError") say.textContent = messageOf(error);
    } finally {
      save.disabled = false;
    }
  };
  save.addEventListener("click", () =>
    attempt(() =>
      saveFile(machine, name, (text) => {
        say.textContent = text;
      }),
    ),
  );
  discard.addEventListener("click", () =>
    attempt(async () => {
      await machine.askAside("lab.discard", { name });
      item.remove();
    }),
  );
  return item;
}

/** Hands a file to the reader: streamed into a file of their choice if the browser can, else as a download. */
async function saveFile(machine: LabMachine, name: string, say: (text: string) => void): Promise<void> {
  const picker = window as unknown as SavePicker;
  // Asked for first, as browsers allow it only just after a press.
  const target = await picker.showSaveFilePicker?.({ suggestedName: name });
  const content = await machine.askAside("lab.written", { name });
  if (target === undefined) {
    download(content, name);
    return;
  }
  let written = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      written += chunk.byteLength;
      say(`Saving: ${formatPercent(written / content.size)}`);
      controller.enqueue(chunk);
    },
  });
  await content
    .stream()
    .pipeThrough(counted)
    .pipeTo(await target.createWritable());
  say("Saved.");
}
