import { copyText } from "../shell/copy.ts";
import { make } from "../shell/dom.ts";
import { formatPercent } from "./format.ts";

/** How the work of a step may be stopped and followed. */
export interface Working {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly stage: string }) => void;
}

/** The sentence and the elements by which a result is shown. */
export interface ShownResult {
  /** The result in a sentence, which is also read out. */
  readonly say: string;
  readonly nodes: readonly Node[];
}

/** A step of the lab: what it does, and how. */
export interface StepDefinition<T> {
  readonly id: string;
  readonly title: string;
  /** One sentence about the work of the step. */
  readonly lead: string;
  /** Words on the button. */
  readonly action: string;
  /** Fields in which the work is chosen. */
  readonly controls?: readonly Node[];
  readonly work: (working: Working) => Promise<T>;
  readonly show: (result: T) => ShownResult;
}

/** A step on the page, whose work is started by its button. */
export class Step<T extends { readonly command: string }> {
  readonly element: HTMLElement;
  readonly #definition: StepDefinition<T>;
  readonly #action: HTMLButtonElement;
  readonly #cancel = make("button", { type: "button", class: "quiet", hidden: "" }, "Cancel");
  readonly #bar = make("progress", { max: "1", value: "0", hidden: "" });
  readonly #say = make("p", { class: "say", role: "status" });
  readonly #result = make("div", { class: "result" });
  readonly #title: HTMLElement;
  #running: AbortController | undefined;
  /** Sentence that says that the result belongs to earlier choices; undefined if it belongs to the present ones. */
  #stale: string | undefined;

  constructor(definition: StepDefinition<T>) {
    const { id, title, lead, action, controls = [] } = definition;
    this.#definition = definition;
    this.#action = make("button", { type: "button", class: "go" }, action);
    this.#title = make("h3", { id: `${id}-title`, tabindex: "-1" }, title);
    this.#bar.setAttribute("aria-label", `${title}: progress`);
    this.#action.addEventListener("click", () => void this.run());
    this.#cancel.addEventListener("click", () => this.#running?.abort());
    this.element = make(
      "section",
      { class: "step", id, "aria-labelledby": `${id}-title`, "data-state": "ready" },
      this.#title,
      make("p", {}, lead),
      make("div", { class: "controls" }, ...controls, this.#action, this.#cancel, this.#bar),
      this.#say,
      this.#result,
    );
  }

  /** Lets the work be started, or says why it cannot be. */
  allow(obstacle: string | undefined): void {
    this.#action.disabled = obstacle !== undefined;
    if (this.#running !== undefined) return;
    if (this.#state === "ready") this.#say.textContent = obstacle ?? "";
    else if (obstacle) this.#say.textContent = obstacle;
  }

  /** Forgets the result, as what it was made from has changed. */
  clear(): void {
    this.#running?.abort();
    this.#result.replaceChildren();
    this.#say.textContent = "";
    this.#turn("ready");
  }

  /** Brings the step into view, and the keyboard to it. */
  reveal(): void {
    this.#title.scrollIntoView({ block: "start" });
    this.#title.focus({ preventScroll: true });
  }

  /**
   * Marks the result as one of earlier choices; a result that is under way is marked when it comes.
   * @param why - sentence that says so
   */
  outdate(why: string): void {
    if (this.#state !== "done" && this.#state !== "working") return;
    this.#stale = why;
    if (this.#state === "done") this.#showStale(why);
  }

  /** Does the work and shows its result, or the error's sentence. */
  async run(): Promise<void> {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    this.#running = running;
    this.#stale = undefined;
    this.#turn("working");
    this.#result.replaceChildren();
    this.#say.textContent = "Working …";
    this.#bar.removeAttribute("value");
    try {
      const { signal } = running;
      const result = await this.#definition.work({
        signal,
        onProgress: (progress) => this.#follow(progress),
      });
      signal.throwIfAborted();
      const { say, nodes } = this.#definition.show(result);
      this.#turn("done");
      this.#say.textContent = say;
      this.#result.replaceChildren(...nodes, showCommand(result.command));
      if (this.#stale !== undefined) this.#showStale(this.#stale);
    } catch (error) {
      const isStopped = running.signal.aborted;
      this.#turn(isStopped ? "ready" : "failed");
      this.#say.textContent = isStopped ? "Stopped." : messageOf(error);
    } finally {
      this.#running = undefined;
      this.#turn(this.#state);
    }
  }

  #showStale(why: string): void {
    this.#turn("stale");
    this.#say.textContent = why;
    // The command is of the choices that are shown no more.
    this.#result.querySelector(".command")?.remove();
  }

  get #state(): string {
    return this.element.dataset["state"] ?? "ready";
  }

  #turn(state: string): void {
    this.element.dataset["state"] = state;
    this.#cancel.hidden = state !== "working";
    this.#bar.hidden = state !== "working";
    this.#action.hidden = state === "working";
  }

  #follow({ done, stage }: { readonly done: number; readonly stage: string }): void {
    this.#bar.value = done;
    const said = done > 0 ? `${stage}: ${formatPercent(done)}` : `${stage} …`;
    if (this.#say.textContent !== said) this.#say.textContent = said;
  }
}

/** Returns the sentence of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Shows the command that gives the same, with a button that copies it. */
export function showCommand(command: string): HTMLElement {
  const copy = make("button", { type: "button", class: "quiet" }, "Copy");
  copy.addEventListener("click", () => void copyText(command, copy));
  return make(
    "div",
    { class: "command" },
    make("p", {}, "The same on the command line"),
    make("pre", {}, make("code", {}, command)),
    copy,
  );
}
