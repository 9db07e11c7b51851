import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { HELP_GROUPS } from "./help-groups.ts";

/** Adds the option by which a verb that opens models fetches them. */
export function addDownloadOption(command: CommandUnknownOpts): void {
  const option = new Option(
    "--download",
    "fetch models named hub:owner/model[@revision] into the cache of the Hugging Face hub, if they are not there (default: nothing leaves this machine)",
  );
  command.addOption(option.helpGroup(HELP_GROUPS.reading));
}
