export { type FiguresOptions, type RenderedFigure, renderFigure } from "./render-figure.ts";
