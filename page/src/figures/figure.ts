import { tag } from "./markup.ts";

/** Milliseconds of a change. */
const CHANGE = 700;

/** A figure that is drawn again at each change. */
export interface FigureParts {
  /** Element for the picture. */
  readonly picture: HTMLElement;
  /** Element for buttons and sliders below it. */
  readonly controls: HTMLElement;
  /** Element for the sentence that tells what is shown; screen readers are told of its changes. */
  readonly words: HTMLElement;
}

/** Defines an element that replaces the static picture inside it by a live figure. */
export function defineFigure(name: string, caption: string, start: (parts: FigureParts) => void): void {
  if (customElements.get(name) !== undefined) return;
  customElements.define(
    name,
    class extends HTMLElement {
      #isStarted = false;

      connectedCallback(): void {
        if (this.#isStarted) return;
        this.#isStarted = true;
        const part = (className: string) => {
          const element = document.createElement("div");
          element.className = className;
          return element;
        };
        const figure = document.createElement("figure");
        figure.className = "isthmus-figure";
        const parts = {
          picture: part("isthmus-view"),
          controls: part("isthmus-controls"),
          words: part("isthmus-words"),
        };
        parts.words.setAttribute("role", "status");
        const text = document.createElement("figcaption");
        text.innerHTML = caption;
        figure.append(parts.picture, parts.controls, parts.words, text);
        this.replaceChildren(figure);
        start(parts);
      }
    },
  );
}

/** Adds a button and returns it. */
export function addButton(controls: HTMLElement, text: string, onPress: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", onPress);
  controls.append(button);
  return button;
}

/** Adds a slider of whole numbers from 0 and returns it. */
export function addSlider(
  controls: HTMLElement,
  name: string,
  { most, value }: { readonly most: number; readonly value: number },
  onMove: (value: number) => void,
): HTMLInputElement {
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: "0", max: String(most), step: "1", value: String(value) });
  slider.setAttribute("aria-label", name);
  slider.addEventListener("input", () => onMove(Number(slider.value)));
  controls.append(slider);
  return slider;
}

/** Adds buttons of which one is chosen. */
export function addChoice(
  controls: HTMLElement,
  texts: readonly string[],
  onChoose: (index: number) => void,
): void {
  const buttons = texts.map((text, index) =>
    addButton(controls, text, () => {
      show(index);
      onChoose(index);
    }),
  );
  const show = (chosen: number) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === chosen));
    });
  };
  show(0);
}

/** Calls a function with shares from 0 to 1, in as many frames as the change takes; at once if motion is not wanted. */
export function change(onFrame: (share: number) => void): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    onFrame(1);
    return;
  }
  const began = performance.now();
  const step = (now: number) => {
    const share = Math.min(1, Math.max(0, (now - began) / CHANGE));
    onFrame(1 - (1 - share) ** 3);
    if (share < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

/** Writes a number that is to be noticed. */
export function strong(text: string): string {
  return tag("b", {}, text);
}
