"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const labels = Object.keys(data.substrates);
  const others = Object.keys(data.agreements);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"];
  const paletteDark = ["#5ab4ee", "#ff9352", "#45cfa3", "#e3a5cc", "#8fd3ff", "#ffc44d"];
  const dashes = ["solid", "dash", "dot", "dashdot"];
  const sampleBox = document.getElementById("sample");
  const populationBox = document.getElementById("population");

  function style(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }
  function colour(label) {
    const colours = dark.matches ? paletteDark : palette;
    return label === data.reference ? style("--text") : colours[others.indexOf(label) % colours.length];
  }
  function axis(title, more) {
    return Object.assign({
      title: {text: title}, gridcolor: style("--line"), linecolor: style("--line"),
      zerolinecolor: style("--line")
    }, more || {});
  }
  function draw(id, traces, layout) {
    const place = document.getElementById(id);
    if (!place) { return; }
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: {color: style("--text"), size: 13},
      margin: {l: 55, r: 12, t: 12, b: 45}, legend: {orientation: "h", y: 1.02, yanchor: "bottom"},
      hovermode: "closest", height: place.clientHeight
    };
    Plotly.react(place, traces, Object.assign(base, layout),
      {responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "sendDataToCloud"]});
  }
  function chosenSample() { return Number(sampleBox.value); }
  function chosenPopulation() { return populationBox.value; }
  function sizeOf(name) { return data.network.populations.find(item => item.name === name).size; }

  function drawRasters() {
    const sample = chosenSample(), name = chosenPopulation(), end = data.duration;
    labels.forEach((label, index) => {
      const spikes = data.rasters[label][name] || {times: [], neurons: [], samples: []};
      const x = [], y = [];
      spikes.samples.forEach((value, k) => {
        if (value === sample) { x.push(spikes.times[k]); y.push(spikes.neurons[k]); }
      });
      draw("raster-" + index, [{
        x: x, y: y, mode: "markers", type: "scatter", name: label,
        marker: {symbol: "line-ns-open", size: 7, color: colour(label), line: {width: 1.5}},
        hovertemplate: "neuron %{y}, %{x:.4f} ms<extra></extra>"
      }], {
        showlegend: false,
        xaxis: axis("time (ms)", {range: [-0.01 * end, 1.01 * end]}),
        yaxis: axis("neuron of " + name, {range: [-1, sizeOf(name)]})
      });
    });
  }
  function drawDeviations() {
    const name = chosenPopulation();
    draw("deviations", others.filter(label => data.agreements[label].spikes[name]).map(label => ({
      x: data.agreements[label].spikes[name].deviations.values, type: "histogram", name: label, opacity: 0.6,
      nbinsx: 60, marker: {color: colour(label)}
    })), {barmode: "overlay", showlegend: true, xaxis: axis("later than in " + data.reference + " (ms)"),
      yaxis: axis("matched spikes of " + name)});
  }
  function drawVoltages() {
    const key = chosenPopulation() + ".v", sample = chosenSample(), traces = [];
    labels.forEach(label => {
      const part = data.voltages[label][key];
      if (!part) { return; }
      part.neurons.forEach((neuron, row) => traces.push({
        x: part.times, y: part.values[sample][row], mode: "lines", type: "scatter", legendgroup: label,
        name: label, showlegend: row === 0, line: {color: colour(label), dash: dashes[row % 4], width: 1.6},
        hovertemplate: label + ", neuron " + neuron + ": %{y:.4g} at %{x:.4g} ms<extra></extra>"
      }));
    });
    const empty = traces.length ? [] : [{
      text: "no voltages of " + chosenPopulation(), showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5
    }];
    draw("voltage-traces", traces, {showlegend: true, annotations: empty, xaxis: axis("time (ms)"), yaxis: axis("voltage")});
  }
  function gradientKeys() {
    return Array.from(new Set(others.flatMap(label => Object.keys(data.agreements[label].gradients))));
  }
  function drawGradients() {
    gradientKeys().forEach((key, index) => {
      let least = Infinity, most = -Infinity;
      const traces = [];
      others.forEach(label => {
        const part = data.agreements[label].gradients[key];
        if (!part) { return; }
        part.reference.forEach(value => { least = Math.min(least, value); most = Math.max(most, value); });
        traces.push({x: part.reference, y: part.other, mode: "markers", type: "scatter", name: label,
          marker: {color: colour(label), size: 5, opacity: 0.65}});
      });
      traces.push({x: [least, most], y: [least, most], mode: "lines", type: "scatter", name: "equal",
        line: {color: style("--faint"), dash: "dot", width: 1}});
      draw("gradient-" + index, traces, {showlegend: true, xaxis: axis(data.reference), yaxis: axis("substrate")});
    });
    const rows = [];
    others.forEach(label => Object.entries(data.agreements[label].gradients).forEach(([key, part], row) => rows.push({
      x: part.cosines.map((_, sample) => sample), y: part.cosines, mode: "markers", type: "scatter",
      name: label + ", " + key, marker: {color: colour(label), symbol: ["circle", "diamond", "x", "square"][row % 4], size: 8}
    })));
    draw("cosines", rows, {showlegend: true, xaxis: axis("sample", {dtick: 1}),
      yaxis: axis("cosine with " + data.reference, {range: [-1.05, 1.05]})});
  }
  function drawCurves() {
    ["loss", "accuracy"].forEach(measure => {
      const traces = [];
      Object.keys(data.curves).forEach(label => ["", "validation_"].forEach((kind, row) => {
        const curves = data.curves[label], values = curves[kind + measure];
        if (values && values.some(value => value !== null)) {
          traces.push({x: curves.epoch, y: values, mode: "lines+markers", type: "scatter",
            name: label + (row ? ", validation" : ", training"), line: {color: colour(label), dash: dashes[row]}});
        }
      }));
      draw("curves-" + measure, traces, {showlegend: true, xaxis: axis("epoch"), yaxis: axis(measure)});
    });
  }
  function spreadOf(items, measure) {
    const ends = items.map(item => item.spread[measure] || [item[measure], item[measure]]);
    return {type: "data", symmetric: false, color: style("--text"), thickness: 1.5, width: 0,
      array: items.map((item, k) => ends[k][1] - item[measure]), arrayminus: items.map((item, k) => item[measure] - ends[k][0])};
  }
  function drawAttributions() {
    const titles = {spikes: "spikes: distance a neuron", gradient: "gradient: 1 - cosine", accuracy: "accuracy: change"};
    const causes = Object.values(data.attributions).flatMap(part => part.effects.map(item => item.cause));
    const longest = Math.max(0, ...causes.map(cause => cause.length));
    Object.entries(titles).forEach(([measure, title]) => {
      const place = document.getElementById("attribution-" + measure);
      if (!place) { return; }
      // Long names of causes may take half of a narrow chart, and go on in a second line there.
      place.style.height = Math.max(place.clientHeight, 110 + 30 * new Set(causes).size) + "px";
      const room = Math.min(7 * longest + 12, place.clientWidth / 2), most = Math.floor((room - 12) / 7);
      const traces = Object.entries(data.attributions).map(([label, part]) => ({
        y: part.effects.map(item => wrap(item.cause, most)), x: part.effects.map(item => item[measure]), orientation: "h",
        type: "bar", name: label, marker: {color: colour(label)}, error_x: spreadOf(part.effects, measure)
      }));
      draw("attribution-" + measure, traces, {showlegend: true, barmode: "group", xaxis: axis(title, {nticks: 5}),
        margin: {l: room, r: 12, t: 34, b: 45}, yaxis: axis("", {autorange: "reversed", dtick: 1})});
    });
  }
  function wrap(text, most) {
    const lines = [""];
    text.split(" ").forEach(word => {
      const last = lines[lines.length - 1], longer = last ? last + " " + word : word;
      if (last && longer.length > most) { lines.push(word); } else { lines[lines.length - 1] = longer; }
    });
    return lines.join("<br>");
  }
  function outline(tile, part) {
    const right = tile.x + tile.width * part, top = tile.y + tile.height;
    return {x: [tile.x, right, right, tile.x, tile.x, null], y: [tile.y, tile.y, top, top, tile.y, null]};
  }
  function drawPanel(id, panel) {
    const colours = dark.matches ? paletteDark : palette, traces = [];
    const groups = Array.from(new Set(panel.tiles.map(tile => tile.group)));
    groups.forEach(group => {
      const tiles = panel.tiles.filter(tile => tile.group === group);
      const tint = group ? colours[groups.filter(Boolean).indexOf(group) % colours.length] : style("--line");
      const parts = tiles.map(tile => outline(tile, group && panel.fill ? tile.fill : 1));
      const frames = tiles.map(tile => outline(tile, 1));
      traces.push({x: parts.flatMap(part => part.x), y: parts.flatMap(part => part.y), mode: "lines", fill: "toself",
        fillcolor: tint, line: {width: 0}, hoverinfo: "skip", showlegend: false, type: "scatter", legendgroup: group});
      traces.push({x: frames.flatMap(part => part.x), y: frames.flatMap(part => part.y), mode: "lines",
        line: {color: tint, width: 1}, hoverinfo: "skip", name: group || "free", type: "scatter",
        legendgroup: group});
      traces.push({x: tiles.map(tile => tile.x + tile.width / 2), y: tiles.map(tile => tile.y + tile.height / 2),
        text: tiles.map(tile => [group || "free", tile.label,
          panel.fill && group ? (100 * tile.fill).toFixed(1) + " % of " + panel.fill : ""].filter(Boolean).join("<br>")),
        mode: "markers", marker: {opacity: 0, size: 12}, hovertemplate: "%{text}<extra></extra>", showlegend: false,
        type: "scatter", legendgroup: group});
    });
    const bare = {showgrid: false, zeroline: false, showticklabels: false};
    draw(id, traces, {showlegend: true, xaxis: axis("", bare), yaxis: axis("", bare)});
  }
  function drawMaps() {
    labels.forEach((label, index) => {
      const map = data.substrates[label].map;
      if (map) { map.panels.forEach((panel, number) => drawPanel("map-" + index + "-" + number, panel)); }
    });
  }
  function drawChosen() { drawRasters(); drawDeviations(); drawVoltages(); }
  function drawAll() { drawChosen(); drawGradients(); drawCurves(); drawAttributions(); drawMaps(); }

  sampleBox.addEventListener("change", drawChosen);
  populationBox.addEventListener("change", drawChosen);
  dark.addEventListener("change", drawAll);
  window.addEventListener("beforeprint", () => labels.forEach((_, index) => {
    const place = document.getElementById("raster-" + index);
    if (place) { Plotly.Plots.resize(place); }
  }));
  drawAll();
  document.documentElement.dataset.drawn = "yes";
})();
