// The figures are a script of their own, as they are larger than all that the lab loads before its first figure.
export { renderFigure } from "@isthmus/report/figure";
