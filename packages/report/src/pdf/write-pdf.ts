import type { FigureElement } from "../figure/stand-alone.ts";
import { ContentStream } from "./content-stream.ts";
import { drawChildren } from "./draw-figure.ts";
import { INITIAL_STYLE, styleOf } from "./figure-style.ts";
import { formatCoordinates } from "./format-coordinates.ts";
import type { PdfFont } from "./text-runs.ts";

/** Points per CSS pixel: 1/96 inch in units of 1/72 inch. */
const POINTS = 0.75;
/** Numbers of objects that other objects refer to. */
const INFO = 5;
const FIRST_FONT = 6;
/**
 * Header of the file; the second line has bytes beyond ASCII, by which programs recognize that the file is
 * not text.
 */
const HEADER = "%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n";

/** Metadata of a PDF. */
export interface PdfDescription {
  /** Title of the document, which readers show as the name of its window. */
  readonly title: string;
  /** Text that describes the figure to readers who cannot see it. */
  readonly words: string;
}

/**
 * Writes a figure that stands alone as a PDF of one page of its size, with fonts that every reader has. The
 * same figure gives the same bytes.
 *
 * @throws OutOfRangeError if the figure contains an unsupported element
 * @see ISO 32000-1, sections 7.5 (file structure) and 8 to 9 (operators)
 */
export function writePdf(svg: FigureElement, { title, words }: PdfDescription): Uint8Array {
  const [width, height] = ["width", "height"].map((name) => POINTS * Number(svg.getAttribute(name)));
  const content = drawPage(svg, height ?? 0);
  const fonts = content.fonts.map((font, index) => `/${font} ${FIRST_FONT + index} 0 R`);
  const states = content.opacities.map(
    ({ name, fill, stroke }) =>
      `/${name} << /ca ${formatCoordinates(fill)} /CA ${formatCoordinates(stroke)} >>`,
  );
  const stream = content.toString();
  return joinObjects([
    "<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /DisplayDocTitle true >> >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${formatCoordinates(width ?? 0, height ?? 0)}] /Contents 4 0 R /Resources << /Font << ${fonts.join(" ")} >> /ExtGState << ${states.join(" ")} >> >> >>`,
    `<< /Length ${stream.length} >>\nstream\n${stream}endstream`,
    `<< /Title ${textString(title)} /Subject ${textString(words)} /Producer ${textString("Isthmus")} >>`,
    ...content.fonts.map(describeFont),
  ]);
}

/** Describes a standard font, which needs only its name; Symbol has its own encoding. */
function describeFont(font: PdfFont): string {
  const encoding = font === "Symbol" ? "" : " /Encoding /WinAnsiEncoding";
  return `<< /Type /Font /Subtype /Type1 /BaseFont /${font}${encoding} >>`;
}

function drawPage(svg: FigureElement, height: number): ContentStream {
  const content = new ContentStream();
  // Figures have their origin at the top left, pages at the bottom left.
  content.transform(POINTS, 0, 0, -POINTS, 0, height);
  drawChildren(svg, styleOf(svg, INITIAL_STYLE), { content, svg });
  return content;
}

/** Encodes a text in UTF-16 with its byte order mark, as PDF requires. */
function textString(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  return `<${[0xfeff, ...units].map((unit) => unit.toString(16).padStart(4, "0")).join("")}>`;
}

/** Joins objects, which are numbered from 1, into a file; the first object is the catalogue. */
function joinObjects(objects: readonly string[]): Uint8Array {
  const offsets: number[] = [];
  let file = HEADER;
  objects.forEach((object, index) => {
    offsets.push(file.length);
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
  });
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`);
  const size = objects.length + 1;
  file += `xref\n0 ${size}\n0000000000 65535 f \n${entries.join("")}trailer\n<< /Size ${size} /Root 1 0 R /Info ${INFO} 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
  return Uint8Array.from({ length: file.length }, (_, index) => file.charCodeAt(index));
}
