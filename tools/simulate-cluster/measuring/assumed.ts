import type { Quantity } from "../measured.ts";

const assume = (value: number, unit: string, how: string): Quantity => ({
  value,
  unit,
  source: "assumed",
  how,
});

/** What cannot be measured on one machine, until a cluster can be. */
export const ASSUMED: Readonly<Record<string, Quantity>> = {
  storageBandwidth: assume(
    2e9,
    "bytes/s",
    "one file server on 25 Gbit/s at two thirds of the wire; no cluster here",
  ),
  workerBandwidth: assume(
    125e6,
    "bytes/s",
    "a worker is one core: 1 Gbit/s, its part of 10 Gbit/s of a machine",
  ),
  networkRoundTrip: assume(
    0.0005,
    "s",
    "a message and its answer within one data centre; added to each latency",
  ),
  start: assume(30, "s", "a machine of a cloud starts and loads Node and the program; none was started"),
  meanTimeBetweenFailures: assume(7 * 86_400, "s", "a worker is lost once a week, as cheap machines are"),
  lease: assume(30, "s", "QUEUE_PATIENCE.lease of the package distributed, whose queues are not written yet"),
  price: assume(0.04, "USD/h", "one core of a cloud, about the price of compute machines on demand"),
  folderPoll: assume(1, "s", "how often an idle worker would look into a shared folder; not written yet"),
  folderRoundTrip: assume(0.005, "s", "listing and renaming on a network file system, beside the local time"),
  spread: assume(
    0.1,
    "1",
    "times of one kind of task differ by a tenth; measured ones differ by what else the machine did",
  ),
};
