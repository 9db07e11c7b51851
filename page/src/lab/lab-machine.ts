import { limitAtOnce } from "@isthmus/tasks";
import { assets } from "../assets.ts";
import { type Asking, type Computer, startComputer } from "../shell/computer.ts";
import type { GivenFile, KnownFiles, WrittenFile } from "../worker/lab/lab-requests.ts";
import type { RequestName, Requests } from "../worker/protocol.ts";

/** Milliseconds that work may take to stop by itself, before its worker is ended. */
const PATIENCE = 1500;

/** A started worker, and the files that it found in the page's storage. */
interface Started {
  readonly computer: Computer;
  readonly written: readonly WrittenFile[];
}

/**
 * The worker of the lab. It is started when it is first needed; if work does not stop when it is asked to, the worker is ended,
 * and the next request starts another, which gets the files again.
 */
export class LabMachine {
  readonly #files = new Map<string, GivenFile>();
  readonly #inTurn = limitAtOnce(1);
  #started: Promise<Started> | undefined;

  /** Sends a request, once all earlier ones are answered. */
  ask<Name extends RequestName>(
    name: Name,
    params: Requests[Name]["params"],
    asking: Asking<Name> = {},
  ): Promise<Requests[Name]["result"]> {
    return this.#inTurn(() => this.askAside(name, params, asking));
  }

  /** Sends a request at once, beside work under way: for what is quick and changes nothing. */
  async askAside<Name extends RequestName>(
    name: Name,
    params: Requests[Name]["params"],
    asking: Asking<Name> = {},
  ): Promise<Requests[Name]["result"]> {
    const { signal } = asking;
    signal?.throwIfAborted();
    const { computer } = await this.#start();
    let patience: ReturnType<typeof setTimeout> | undefined;
    const lose = () => {
      patience = setTimeout(() => this.#end(computer), PATIENCE);
    };
    signal?.addEventListener("abort", lose, { once: true });
    try {
      return await computer.ask(name, params, asking);
    } finally {
      signal?.removeEventListener("abort", lose);
      clearTimeout(patience);
    }
  }

  /** Gives files to the worker, and returns what all files are. */
  async add(files: readonly GivenFile[], asking: Asking<"lab.add"> = {}): Promise<KnownFiles> {
    for (const file of files) this.#files.set(file.path, file);
    return this.ask("lab.add", { files }, asking);
  }

  /** Takes a file from the worker. */
  async remove(path: string): Promise<KnownFiles> {
    this.#files.delete(path);
    return this.ask("lab.remove", { path });
  }

  /** Returns the file of a path. */
  given(path: string): GivenFile | undefined {
    return this.#files.get(path);
  }

  /** Lists the files that this visit and earlier ones have written. */
  async written(): Promise<readonly WrittenFile[]> {
    return (await this.#start()).written;
  }

  #start(): Promise<Started> {
    this.#started ??= this.#startWorker().catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  async #startWorker(): Promise<Started> {
    const computer = startComputer(assets.labWorker);
    const absolute = (path: string) => new URL(path, document.baseURI).href;
    const { written } = await computer.ask("lab.start", {
      engine: absolute(assets.engine),
      digits: absolute(assets.digits),
      figures: absolute(assets.figures),
    });
    if (this.#files.size > 0) await computer.ask("lab.add", { files: [...this.#files.values()] });
    return { computer, written };
  }

  #end(computer: Computer): void {
    this.#started = undefined;
    computer.end();
  }
}
