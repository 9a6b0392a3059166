/** One measurement, in a process of its own: what V8 learns from one strategy must not speed up or slow down another. */
const { module, ...given } = JSON.parse(process.argv[2]);
const { measure } = await import(`../${module}.mjs`);
console.log(JSON.stringify(await measure(given)));
