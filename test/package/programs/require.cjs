const hawser = require('hawser');

const names = Object.keys(hawser).filter((name) => name !== '__esModule');
console.log(JSON.stringify({ engine: hawser.selectEngine().name, names: names.sort() }));
