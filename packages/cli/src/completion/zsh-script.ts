import { type CompletedOption, type CompletedVerb, listCompleted } from "./completed-verb.ts";
import type { Offer } from "./offer.ts";
import { fillTemplate, lastWord, quoteShell } from "./template.ts";

/** Writes the script that completes the command in zsh. */
export function formatZshScript(program: CompletedVerb): string {
  const offers = new Map<string, string>();
  /** Returns the name of the function that offers the candidates: the same ones share a function. */
  const offering = (offer: Offer): string => {
    const call = formatOffer(offer);
    const name = offers.get(call) ?? `_isthmus_offer_${offers.size + 1}`;
    offers.set(call, name);
    return name;
  };
  const verbs = listCompleted(program)
    .map((verb) => formatVerb(verb, offering))
    .join("\n\n");
  const shared = [...offers].map(([call, name]) => `${name}() { ${call}; }`).join("\n");
  return fillTemplate("zsh", { offers: shared, verbs });
}

type Offering = (offer: Offer) => string;

function formatOffer({ words, files }: Offer): string {
  const endings = files === "folders" ? [] : [files ?? []].flat();
  const parts = [...words, ...(files === undefined ? [] : ["--", ...endings])];
  return ["_isthmus_offer", ...parts].join(" ");
}

const nameOf = ({ words }: CompletedVerb): string =>
  words === "" ? "_isthmus" : `_isthmus_${words.replaceAll(" ", "_")}`;

/** Writes the function that completes a verb, from its own name on. */
function formatVerb(verb: CompletedVerb, offering: Offering): string {
  const options = verb.options.map((option) => formatOption(option, offering));
  const operand = verb.offer === undefined ? [] : [quoteShell(`*: :${offering(verb.offer)}`)];
  if (verb.below.length === 0) return define(verb, [formatArguments("-S", [...options, ...operand])]);
  const described = verb.below.map((one) => `    ${quoteShell(`${lastWord(one)}:${one.summary}`)}`);
  const arms = verb.below.map((one) => `    ${lastWord(one)}) ${nameOf(one)} ;;`);
  const first = quoteShell("1: :{ _describe verb verbs }");
  return define(verb, [
    "  local curcontext=$curcontext state line",
    "  local -A opt_args",
    ["  local -a verbs=(", ...described, "  )"].join("\n"),
    `${formatArguments("-C -S", [...options, first, quoteShell("*:: :->below")])} && return`,
    "  case $words[1] in",
    ...arms,
    "  esac",
  ]);
}

function define(verb: CompletedVerb, lines: readonly string[]): string {
  return [`${nameOf(verb)}() {`, ...lines, "}"].join("\n");
}

function formatArguments(flags: string, specs: readonly string[]): string {
  return [`  _arguments ${flags}`, ...specs].join(" \\\n    ");
}

/** Writes the specification of an option as `_arguments` takes it. */
function formatOption(option: CompletedOption, offering: Offering): string {
  const { names, help, offer, isOptional, isVariadic } = option;
  const text = `[${help.replace(/[[\]\\:]/g, "\\$&")}]`;
  const colons = isVariadic ? ":*-*: " : isOptional ? ":: " : ": ";
  const value = offer === undefined ? "" : `${colons}:${offering(offer)}`;
  const repeats = offer === undefined ? "" : "*";
  const exclusive = names.length > 1 && repeats === "" ? `(${names.join(" ")})` : "";
  const forms = names.map((name) => {
    const joined = offer === undefined ? "" : name.startsWith("--") ? "=" : "+";
    return quoteShell(`${exclusive}${repeats}${name}${joined}${text}${value}`);
  });
  return forms.join(" ");
}
