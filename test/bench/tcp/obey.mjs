/**
 * Makes a client of the process: each message is an order, and the answer says how many units of it were done.
 *
 * @param workloads what can be ordered, by name
 */
export function obey(workloads) {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ workload, ...order }) => {
    try {
      process.send({ units: await workloads[workload](order) });
    } catch (error) {
      process.send({ failed: `${workload}: ${error.stack}` });
    }
  });
}
