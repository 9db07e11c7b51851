import { SIMULATION_TASKS } from "@isthmus/federated";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createWorkerPorts } from "../study/worker-ports.ts";

const ports = await createWorkerPorts();

serveTasks((assignment, control) => runTask(SIMULATION_TASKS, assignment, ports, control));
