// Aggregates a round of many updates, in a process of its own. Prints the hash of the network.
//
//   node aggregate-many.mjs REQUEST.json
import { readFileSync } from "node:fs";
import { type AggregateRequest, aggregateRound } from "../src/work/aggregate-round.ts";

const request = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as AggregateRequest;
const aggregated = await aggregateRound(request, new AbortController().signal);
process.stdout.write(aggregated.kind === "aggregated" ? aggregated.hash : JSON.stringify(aggregated));
