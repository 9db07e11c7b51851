/** Values of attributes. */
export type Attributes = Readonly<Record<string, string | number>>;

/** Writes an element as markup; children are markup, too. */
export function tag(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(String(value))}"`);
  return `<${name}${written.join("")}>${children.join("")}</${name}>`;
}

/** Writes text as markup. */
function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** Writes a text in a picture. */
export function label(text: string, attributes: Attributes): string {
  return tag("text", attributes, escapeText(text));
}

/** Writes the points of a line. */
export function pointsOf(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
}

/** Rounds a place to tenths, finer than which nothing is seen. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Size of a picture, in its own units. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Writes a picture that a screen reader reads as its description. */
export function picture(size: PictureSize, description: string, ...children: readonly string[]): string {
  const { width, height } = size;
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    class: "isthmus-picture",
    role: "img",
    "aria-label": description,
  };
  return tag("svg", attributes, ...children);
}
