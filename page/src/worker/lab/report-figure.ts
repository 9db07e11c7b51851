// A script of its own, as it is larger than what the lab needs before its first figure.
export { renderFigure } from "@isthmus/report/figure";
