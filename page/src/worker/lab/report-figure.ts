// This file is bundled as a script of its own of 0.9 MB, which the lab loads with its first figure and not before.
export { renderFigure } from "@isthmus/report/figure";
