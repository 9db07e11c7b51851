// Checks that no source files import each other in a circle, types included: each file can be read after those it imports.
import { posix } from "node:path";
import { importsOf, packageNames, report, sourceFiles } from "./packages.mjs";

const files = new Set(packageNames.flatMap((name) => sourceFiles(name)));
const imports = new Map(
  [...files].map((path) => [
    path,
    importsOf(path)
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => posix.join(posix.dirname(path), specifier))
      .filter((target) => files.has(target)),
  ]),
);
report(
  "check-circles",
  circles(imports).map((circle) => `files import each other: ${[...circle].sort().join(", ")}`),
);

/**
 * Strongly connected components of more than one file (Tarjan 1972).
 * @param {Map<string, string[]>} edges
 */
function circles(edges) {
  const entered = new Map();
  const lowest = new Map();
  const trail = [];
  const components = [];
  const visit = (path) => {
    entered.set(path, entered.size);
    lowest.set(path, entered.get(path));
    trail.push(path);
    for (const next of edges.get(path)) {
      if (!entered.has(next)) visit(next);
      if (trail.includes(next)) lowest.set(path, Math.min(lowest.get(path), lowest.get(next)));
    }
    if (lowest.get(path) !== entered.get(path)) return;
    const component = trail.splice(trail.indexOf(path));
    if (component.length > 1 || edges.get(path).includes(path)) components.push(component);
  };
  for (const path of edges.keys()) if (!entered.has(path)) visit(path);
  return components;
}
