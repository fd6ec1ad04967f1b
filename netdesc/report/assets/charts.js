"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const labels = Object.keys(data.substrates);
  const others = Object.keys(data.agreements);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const lighter = {
    "#0072B2": "#5ab4ee", "#D55E00": "#ff9352", "#009E73": "#45cfa3", "#CC79A7": "#e3a5cc", "#56B4E9": "#8fd3ff",
    "#E69F00": "#ffc44d", "#000000": "#e8eaed", "#332288": "#a99bff", "#882255": "#ff8fc0", "#117733": "#7fd89a",
    "#999933": "#d6d67a", "#CC6677": "#ff9fae", "#44AA99": "#86e0d2", "#AA4499": "#eaa0de"
  };
  const inks = {"--text": "#1b1f24", "--faint": "#555e68", "--line": "#cfd5dc"};
  let printing = false;
  const dashes = ["solid", "dash", "dot", "dashdot"];
  const sampleBox = document.getElementById("sample");
  const populationBox = document.getElementById("population");

  function style(name) {
    return printing ? inks[name] : getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }
  function shade(hex) { return dark.matches && !printing ? lighter[hex] || hex : hex; }
  function colour(label) { return label in data.colours ? shade(data.colours[label]) : style("--text"); }
  function colourOf(name) {
    const found = data.network.populations.find(item => item.name === name);
    return found ? shade(found.colour) : style("--faint");
  }
  function axis(title, more) {
    return Object.assign({
      title: {text: title, standoff: 8}, gridcolor: style("--line"), linecolor: style("--line"),
      zerolinecolor: style("--line")
    }, more || {});
  }
  function draw(id, traces, layout) {
    const place = document.getElementById(id);
    if (!place) { return; }
    // The mode bar has the top of every chart to itself, the legend the bottom.
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: {color: style("--text"), size: 12},
      margin: {l: 60, r: 12, t: 34, b: place.clientWidth < 420 ? 96 : 78}, hovermode: "closest", height: place.clientHeight, width: place.clientWidth,
      legend: {orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom", font: {size: 12}}
    };
    const whole = Object.assign(base, layout);
    const options = {responsive: false, displaylogo: false, displayModeBar: printing ? false : undefined,
      modeBarButtonsToRemove: ["lasso2d", "select2d"]};
    Plotly.react(place, traces, whole, options);
    // The height of the legend is known after drawing; numbers and title of the axis need room above it.
    const legend = (place._fullLayout || {}).legend, needed = 46 + (legend && legend._height || 0);
    if (whole.margin.b < needed) {
      whole.margin = Object.assign({}, whole.margin, {b: needed});
      Plotly.react(place, traces, whole, options);
    }
  }
  function chosenSample() { return Number(sampleBox.value); }
  function chosenPopulation() { return populationBox.value; }
  function sizeOf(name) { return data.network.populations.find(item => item.name === name).size; }

  function trains(label, name, sample) {
    const found = data.rasters[label][name] || {times: [], neurons: [], samples: []}, result = new Map();
    found.samples.forEach((value, k) => {
      if (value !== sample) { return; }
      if (!result.has(found.neurons[k])) { result.set(found.neurons[k], []); }
      result.get(found.neurons[k]).push(found.times[k]);
    });
    result.forEach(times => times.sort((one, two) => one - two));
    return result;
  }
  // In order of time, as the distances of the tables are computed.
  function matchTrains(before, after, window) {
    const found = {matched: [[], []], missing: [[], []], extra: [[], []]};
    const add = (kind, time, neuron) => { found[kind][0].push(time); found[kind][1].push(neuron); };
    new Set([...before.keys(), ...after.keys()]).forEach(neuron => {
      const one = before.get(neuron) || [], two = after.get(neuron) || [];
      let i = 0, j = 0;
      while (i < one.length || j < two.length) {
        const apart = (j < two.length ? two[j] : Infinity) - (i < one.length ? one[i] : Infinity);
        if (Math.abs(apart) <= window) { add("matched", two[j], neuron); i += 1; j += 1; }
        else if (apart > 0) { add("missing", one[i], neuron); i += 1; }
        else { add("extra", two[j], neuron); j += 1; }
      }
    });
    return found;
  }
  function spikeTrace(points, name, symbol, ink, size) {
    return {x: points[0], y: points[1], mode: "markers", type: "scatter", name: name + " (" + points[0].length + ")",
      marker: {symbol: symbol, size: size, color: ink, line: {width: 1.5, color: ink}},
      hovertemplate: name + ": neuron %{y}, %{x:.4f} ms<extra></extra>"};
  }
  function drawRasters() {
    const sample = chosenSample(), name = chosenPopulation(), end = data.duration, ink = colourOf(name);
    const before = trains(data.reference, name, sample);
    labels.forEach((label, index) => {
      const after = trains(label, name, sample), same = label === data.reference;
      const found = matchTrains(before, after, data.settings.window);
      const traces = same ? [spikeTrace(found.matched, "spikes", "line-ns-open", ink, 8)] : [
        spikeTrace(found.matched, "matched", "line-ns-open", ink, 8),
        spikeTrace(found.missing, "only on " + data.reference, "circle-open", style("--text"), 7),
        spikeTrace(found.extra, "only on " + label, "x-thin-open", style("--text"), 7)
      ];
      const none = [{text: "no spikes of " + name, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5}];
      draw("raster-" + index, traces, {
        showlegend: true, annotations: before.size || after.size ? [] : none,
        xaxis: axis("time (ms)", {range: [-0.01 * end, 1.01 * end]}),
        yaxis: axis("neuron of " + name, {range: [-1, sizeOf(name)]})
      });
    });
  }
  function binWidth(range) {
    if (!(range > 0)) { return 0.001; }
    const rough = range / 40, power = Math.pow(10, Math.floor(Math.log10(rough)));
    return [1, 2, 5, 10].find(step => step * power >= rough * 0.999) * power;
  }
  function drawDeviations() {
    const name = chosenPopulation(), parts = others.filter(label => data.agreements[label].spikes[name])
      .map(label => [label, data.agreements[label].spikes[name].deviations.values]);
    const all = parts.flatMap(part => part[1]);
    const width = binWidth(all.reduce((most, value) => Math.max(most, value), -Infinity) -
      all.reduce((least, value) => Math.min(least, value), Infinity));
    draw("deviations", parts.map(([label, values]) => {
      const counts = new Map();
      values.forEach(value => { const bin = Math.round(value / width); counts.set(bin, (counts.get(bin) || 0) + 1); });
      const bins = Array.from(counts.keys()).sort((one, two) => one - two);
      return {x: bins.map(bin => bin * width), y: bins.map(bin => counts.get(bin)), width: width, type: "bar", name: label,
        opacity: 0.6, marker: {color: colour(label)}, hovertemplate: "%{y} at %{x:.4g} ms<extra>" + label + "</extra>"};
    }), {barmode: "overlay", bargap: 0, showlegend: true, xaxis: axis("shift against " + data.reference + " (ms)"),
      yaxis: axis("spikes of " + name + " per " + Number(width.toPrecision(3)) + " ms")});
  }
  function thresholdOf(name, neuron) {
    const found = data.network.populations.find(item => item.name === name).threshold;
    return found ? found[found.length > 1 ? neuron : 0] : null;
  }
  function voltageRow(label, name, row, axes) {
    const sample = chosenSample(), key = name + ".v", traces = [], ink = colourOf(name);
    const both = label === data.reference ? [label] : [data.reference, label];
    both.forEach((who, order) => {
      const part = data.voltages[who][key], wide = both.length > 1 && order === 0;
      if (!part || row >= part.neurons.length) { return; }
      const neuron = part.neurons[row], limit = thresholdOf(name, neuron), look = {legendgroup: who, xaxis: axes[0], yaxis: axes[1]};
      traces.push({...look, x: part.times, y: part.values[sample][row], mode: "lines", type: "scatter", name: who,
        showlegend: row === 0, opacity: wide ? 0.35 : 1, line: {color: ink, width: wide ? 5 : 1.5},
        hovertemplate: who + ", neuron " + neuron + ": %{y:.4g} at %{x:.4g} ms<extra></extra>"});
      const times = trains(who, name, sample).get(neuron) || [];
      if (limit !== null) {
        traces.push({...look, x: times, y: times.map(() => limit), mode: "markers", type: "scatter", showlegend: false,
          opacity: wide ? 0.5 : 1, cliponaxis: false, marker: {symbol: "triangle-down", size: wide ? 13 : 8, color: ink},
          hovertemplate: who + ", neuron " + neuron + ": spike at %{x:.4g} ms<extra></extra>"});
        if (order === both.length - 1) {
          traces.push({xaxis: axes[0], yaxis: axes[1], x: [0, data.duration], y: [limit, limit], mode: "lines", type: "scatter",
            name: "threshold", showlegend: row === 0, hoverinfo: "skip", line: {color: style("--faint"), dash: "dot", width: 1}});
        }
      }
    });
    return traces;
  }
  function drawVoltages() {
    const name = chosenPopulation(), key = name + ".v", end = data.duration;
    (others.length ? others : labels).forEach((label, index) => {
      const part = data.voltages[label][key] || data.voltages[data.reference][key], count = part ? part.neurons.length : 0;
      const layout = {showlegend: true, annotations: count ? [] : [{
        text: "no voltages of " + name, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5}]};
      let traces = [];
      for (let row = 0; row < count; row += 1) {
        const tail = row ? String(row + 1) : "", gap = 0.06;
        const top = 1 - row / count - (row ? gap / 2 : 0), bottom = 1 - (row + 1) / count + (row < count - 1 ? gap / 2 : 0);
        traces = traces.concat(voltageRow(label, name, row, ["x", "y" + tail]));
        layout["yaxis" + tail] = axis("neuron " + part.neurons[row], {domain: [bottom, top], nticks: 4});
      }
      layout.xaxis = axis("time (ms)", {range: [0, end], anchor: count > 1 ? "y" + count : "y"});
      draw("voltage-" + index, traces, layout);
    });
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
      traces.push({x: [least, most], y: [least, most], mode: "lines", type: "scatter", name: "equality",
        line: {color: style("--faint"), dash: "dot", width: 1}});
      draw("gradient-" + index, traces, {showlegend: true, xaxis: axis("on " + data.reference), yaxis: axis("on the substrate")});
    });
    const rows = [];
    others.forEach(label => Object.entries(data.agreements[label].gradients).forEach(([key, part], row) => rows.push({
      x: part.cosines.map((_, sample) => sample), y: part.cosines, mode: "markers", type: "scatter",
      name: label + ", " + key, marker: {color: colour(label), symbol: ["circle", "diamond", "x", "square"][row % 4], size: 8}
    })));
    draw("cosines", rows, {showlegend: true, xaxis: axis("sample", {
      // Samples are whole numbers, even where there is one.
      range: [-0.5, data.batch.samples - 0.5], tick0: 0, dtick: Math.max(1, Math.ceil(data.batch.samples / 8)), tickangle: 0}),
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
    const titles = {spikes: "van Rossum distance", gradient: "1 − cosine of the gradient", accuracy: "change in accuracy"};
    const names = Object.values(data.attributions).flatMap(part => part.effects.map(item => item.source_of_deviation));
    const longest = Math.max(0, ...names.map(name => name.length));
    Object.entries(titles).forEach(([measure, title]) => {
      const place = document.getElementById("attribution-" + measure);
      if (!place) { return; }
      // Long names may take half of a narrow chart, and continue on a second line there.
      place.style.height = Math.max(place.clientHeight, 110 + 30 * new Set(names).size) + "px";
      const room = Math.min(7 * longest + 12, place.clientWidth / 2), most = Math.floor((room - 12) / 7);
      const traces = Object.entries(data.attributions).map(([label, part]) => ({
        y: part.effects.map(item => wrap(item.source_of_deviation, most)), x: part.effects.map(item => item[measure]), orientation: "h",
        type: "bar", name: label, marker: {color: colour(label)}, error_x: spreadOf(part.effects, measure)
      }));
      draw("attribution-" + measure, traces, {showlegend: true, barmode: "group", xaxis: axis(title, {nticks: 5}),
        margin: {l: room, r: 12, t: 34, b: 78}, yaxis: axis("", {autorange: "reversed", dtick: 1})});
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
    const traces = [], known = data.network.populations.map(item => item.name);
    const groups = Array.from(new Set(panel.tiles.map(tile => tile.group)));
    const rest = groups.filter(group => group && !known.includes(group)), free = Object.keys(lighter).slice(7);
    groups.forEach(group => {
      const tiles = panel.tiles.filter(tile => tile.group === group);
      const tint = !group ? style("--line") : known.includes(group) ? colourOf(group) : shade(free[rest.indexOf(group) % free.length]);
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
  function drawPlacements() {
    labels.forEach((label, index) => {
      const found = data.substrates[label].placement;
      if (found) { found.panels.forEach((panel, number) => drawPanel("placement-" + index + "-" + number, panel)); }
    });
  }
  function drawChosen() { drawRasters(); drawDeviations(); drawVoltages(); }
  function drawAll() { drawChosen(); drawGradients(); drawCurves(); drawAttributions(); drawPlacements(); }

  sampleBox.addEventListener("change", drawChosen);
  populationBox.addEventListener("change", drawChosen);
  dark.addEventListener("change", drawAll);
  function print(on) {
    printing = on;
    document.documentElement.classList.toggle("printing", on);
    document.querySelectorAll(".tile details").forEach(item => { item.open = on; });
    drawAll();
  }
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));
  let waiting = 0, width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (printing || window.innerWidth === width) { return; }
    width = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 100);
  });
  drawAll();
  document.documentElement.dataset.drawn = "yes";
})();
