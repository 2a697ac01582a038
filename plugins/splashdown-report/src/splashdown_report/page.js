"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const drawn = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const rows = data.rows.map((values, at) => ({ at, ...Object.fromEntries(data.fields.map((f, n) => [f, values[n]])) }));
  for (const row of rows) {
    row.words = [row.name, row.item, row.key, row.type, row.roles, row.bands, row.crs, row.status, row.remark, row.checksum]
      .filter(Boolean).join(" ").toLowerCase();
    row.day = (row.start || row.end || "").slice(0, 10);
  }
  const size = (bytes) => {
    if (bytes === null) return "";
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = 0;
    while (bytes >= 1024 && power < units.length - 1) { bytes /= 1024; power++; }
    return `${power ? bytes.toFixed(1) : bytes} ${units[power]}`;
  };
  const counted = (number) => `${number.toLocaleString("en")} ${number === 1 ? "file" : "files"}`;
  const kindOf = (status) => data.good.includes(status) ? "good" : data.bad.includes(status) ? "bad" : "other";
  const dates = (row) => {
    const [a, b] = [row.start, row.end].map((one) => (one || "").slice(0, 10));
    return a === b || !b ? a : `${a} to ${b}`;
  };

  const PAGE = 100;
  const chosen = { words: [], status: null, bin: null, place: null };
  let sort = { field: null, down: false }, limit = PAGE, shown = rows;

  // ---- choosing
  const contains = (row, [x, y]) => {
    const box = row.place === null ? null : data.boxes[row.place];
    return box !== null && y >= box[1] && y <= box[3] && [x, x + 360, x - 360].some((each) => each >= box[0] && each <= box[2]);
  };
  const passes = (row) =>
    chosen.words.every((word) => row.words.includes(word)) && (chosen.status === null || row.status === chosen.status) &&
    (chosen.bin === null || (row.day !== "" && chosen.bin.has(row))) && (chosen.place === null || contains(row, chosen.place));
  const update = () => {
    shown = rows.filter(passes);
    if (sort.field !== null) {
      const sign = sort.down ? -1 : 1;
      shown.sort((a, b) => {
        const [x, y] = [a[sort.field], b[sort.field]];
        if (typeof x === "number" || typeof y === "number") return sign * ((x ?? -1) - (y ?? -1));
        return sign * String(x ?? "").localeCompare(String(y ?? ""), "en", { numeric: true });
      });
    }
    const bytes = shown.reduce((sum, row) => sum + (row.size || 0), 0);
    $("count").textContent = `${shown.length === rows.length ? "" : `${shown.length.toLocaleString("en")} of `}${counted(rows.length)}, ${size(bytes)}`;
    $("all").hidden = shown.length === rows.length && !$("search").value;
    drawTable();
    drawPicked();
  };

  // ---- table
  const COLUMNS = [
    ["thumbnail", "", "picture"], ["name", "File", "name"], ["item", "Item", ""], ["start", "Date", "short"], ["type", "Type", ""],
    ["bands", "Bands", ""], ["crs", "CRS", "short"], ["size", "Size", "short"], ["status", "Status", "short"],
    ["remark", "Remark", ""], ["checksum", "Checksum", "sum"],
  ].filter(([field]) => rows.some((row) => row[field] !== null && row[field] !== ""));
  // A name that is too long is broken after one of its separators, and inside a part only where that is too long itself.
  const breakable = (value) => (String(value).match(/[^]+?(?:[/_-]+|$)/g) ?? []).flatMap((part, n) => (n ? [make("wbr", {}), part] : [part]));
  const cell = (row, field) => {
    const value = row[field];
    if (value === null || value === "") return [];
    if (field === "thumbnail") return [make("img", { src: data.thumbnails[value], alt: "", loading: "lazy" })];
    if (field === "size") return [size(value)];
    if (field === "start") return [dates(row)];
    if (field === "status") return [make("span", { class: kindOf(value) }, value.replace("_", " "))];
    if (field === "checksum") {
      return [make("details", {}, make("summary", {}, make("code", {}, `${value.slice(0, 10)}…`)), make("code", {}, value))];
    }
    return field === "remark" ? [value] : breakable(value);
  };
  const drawTable = () => {
    $("rows").replaceChildren(...shown.slice(0, limit).map((row) => make("tr", {}, ...COLUMNS.map(([field, title, kind]) =>
      make("td", { class: kind, ...(title ? { "data-label": title } : {}) }, ...cell(row, field))))));
    const left = shown.length - limit;
    $("more").hidden = left <= 0;
    $("more").textContent = `Show ${Math.min(left, PAGE)} more of ${left.toLocaleString("en")}`;
  };
  const head = make("tr");
  for (const [field, title] of COLUMNS) {
    if (!title) { head.append(make("td", {})); continue; }
    const button = make("button", { type: "button" }, title);
    const th = make("th", { scope: "col" }, button);
    button.addEventListener("click", () => {
      sort = { field, down: sort.field === field && !sort.down };
      for (const other of head.cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      update();
    });
    head.append(th);
  }
  $("head").append(head);
  $("more").addEventListener("click", () => { limit += PAGE; drawTable(); });

  // ---- map
  const NEAR = 25;
  let view = null;
  const extentOf = (boxes) => {
    let [w, s, e, n] = boxes[0];
    for (const box of boxes) {
      w = Math.min(w, box[0]); s = Math.min(s, box[1]); e = Math.max(e, box[2]); n = Math.max(n, box[3]);
    }
    const [padX, padY] = [Math.max((e - w) * 0.12, 0.05), Math.max((n - s) * 0.12, 0.05)];
    return [w - padX, Math.max(s - padY, -90), e + padX, Math.min(n + padY, 90)];
  };
  const label = (degree, sides) => `${Math.abs(+degree.toFixed(4))}°${degree === 0 ? "" : degree > 0 ? sides[0] : sides[1]}`;
  const outline = (found) => found.map((rings) => rings.map((ring) =>
    `M${ring.map(([x, y]) => `${view.x(x).toFixed(1)} ${view.y(y).toFixed(1)}`).join("L")}Z`).join("")).join("");
  const drawMap = (extent) => {
    let [w, s, e, n] = extent;
    const narrow = Math.max(Math.cos((s + n) / 2 * Math.PI / 180), 0.15);
    const wanted = Math.min(Math.max((n - s) / ((e - w) * narrow), 0.4), 0.6);
    if ((n - s) / ((e - w) * narrow) > wanted) { const more = ((n - s) / wanted / narrow - (e - w)) / 2; w -= more; e += more; }
    else { const more = ((e - w) * narrow * wanted - (n - s)) / 2; s -= more; n += more; }
    const width = Math.max($("drawing").clientWidth, 200), height = Math.round(width * wanted), kx = width / (e - w), ky = height / (n - s);
    view = { x: (x) => (x - w) * kx, y: (y) => (n - y) * ky, back: (px, py) => [w + px / kx, n - py / ky] };
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": data.where });
    const land = (x, y, across, down) => drawn("path", { class: "land", d: data.land, transform: `translate(${x} ${y}) scale(${across / 10} ${down / 10})` });
    // The outlines are too coarse to be looked at from near.
    const near = e - w < NEAR;
    for (const turn of near ? [] : [-360, 0, 360]) svg.append(land(view.x(turn), view.y(0), kx, ky));
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 90].find((each) => (e - w) / each <= 6) || 90;
    for (let x = Math.ceil(w / step) * step; x <= e; x += step) {
      svg.append(drawn("path", { class: "grid", d: `M${view.x(x)} 0V${height}` }),
        drawn("text", { x: view.x(x) + 3, y: height - 4 }, label(((x + 540) % 360) - 180, "EW")));
    }
    for (let y = Math.ceil(s / step) * step; y <= n; y += step) {
      if (Math.abs(y) > 90) continue;
      svg.append(drawn("path", { class: "grid", d: `M0 ${view.y(y)}H${width}` }), drawn("text", { x: 3, y: view.y(y) - 3 }, label(y, "NS")));
    }
    svg.append(drawn("path", { class: "shapes", d: outline(data.shapes) }), drawn("path", { class: "picked", d: "" }));
    if (near) {
      const [side, x, y] = [Math.min(160, width / 4.5), ((w + e) / 2 + 540) % 360, 90 - (s + n) / 2];
      const scale = side / 360;
      svg.append(drawn("g", { class: "inset", transform: `translate(${width - side - 8} 8)` },
        drawn("rect", { width: side, height: side / 2 }), land(side / 2, side / 4, scale, scale),
        drawn("circle", { class: "here", cx: x * scale, cy: y * scale, r: 4 })));
    }
    svg.addEventListener("click", (event) => {
      const frame = svg.getBoundingClientRect();
      chosen.place = view.back((event.clientX - frame.left) / frame.width * width, (event.clientY - frame.top) / frame.height * height);
      if (!rows.some((row) => contains(row, chosen.place))) chosen.place = null;
      limit = PAGE;
      update();
    });
    $("drawing").replaceChildren(svg);
    drawPicked();
  };
  const drawPicked = () => {
    const path = document.querySelector(".map .picked");
    if (!path) return;
    const numbers = shown.length === rows.length ? [] : [...new Set(shown.map((row) => row.place).filter((each) => each !== null))];
    path.setAttribute("d", outline(numbers.map((each) => data.shapes[each])));
  };
  const known = data.boxes.filter((box) => box !== null);
  if (known.length) {
    drawMap(extentOf(known));
    $("fit").addEventListener("click", () => drawMap(extentOf(known)));
    $("earth").addEventListener("click", () => drawMap([-180, -85, 180, 85]));
  } else {
    $("map").hidden = true;
  }

  // ---- timeline
  const dated = rows.filter((row) => row.day);
  if (dated.length) {
    const days = dated.map((row) => row.day).sort();
    const [first, last] = [days[0], days[days.length - 1]];
    const years = last.slice(0, 4) - first.slice(0, 4);
    const months = years * 12 + (last.slice(5, 7) - first.slice(5, 7));
    const span = (Date.parse(last) - Date.parse(first)) / 86400000;
    const letters = span <= 62 ? 10 : months <= 62 ? 7 : 4;
    const bins = new Map();
    for (const row of dated) {
      const name = row.day.slice(0, letters);
      bins.set(name, (bins.get(name) || new Set()).add(row));
    }
    const names = [];
    for (let at = new Date(`${first.slice(0, letters)}${{ 10: "", 7: "-01", 4: "-01-01" }[letters]}T00:00Z`); names.length < 400;) {
      const name = at.toISOString().slice(0, letters);
      if (name > last.slice(0, letters)) break;
      names.push(name);
      if (letters === 10) at.setUTCDate(at.getUTCDate() + 1); else if (letters === 7) at.setUTCMonth(at.getUTCMonth() + 1); else at.setUTCFullYear(at.getUTCFullYear() + 1);
    }
    const most = Math.max(...[...bins.values()].map((each) => each.size));
    $("times").append(...names.map((name) => {
      const bin = bins.get(name);
      if (!bin) return make("span");
      const button = make("button", { type: "button", "aria-pressed": "false", "aria-label": `${name}: ${counted(bin.size)}`, title: `${name}: ${counted(bin.size)}` });
      button.style.setProperty("--h", `${Math.round(bin.size / most * 100)}%`);
      button.addEventListener("click", () => {
        const was = button.getAttribute("aria-pressed") === "true";
        for (const other of $("times").querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
        button.setAttribute("aria-pressed", String(!was));
        chosen.bin = was ? null : bin;
        limit = PAGE;
        update();
      });
      return button;
    }));
    $("first").textContent = names[0];
    $("last").textContent = names[names.length - 1];
  } else {
    $("timeline").hidden = true;
  }

  // ---- search and status
  const statuses = new Map();
  for (const row of rows) statuses.set(row.status, (statuses.get(row.status) || 0) + 1);
  for (const [status, number] of statuses) {
    const button = make("button", { type: "button", "aria-pressed": "false" }, make("span", { class: kindOf(status) }, status.replace("_", " ")), ` ${number.toLocaleString("en")}`);
    button.addEventListener("click", () => {
      chosen.status = chosen.status === status ? null : status;
      for (const other of $("statuses").children) other.setAttribute("aria-pressed", String(other === button && chosen.status !== null));
      limit = PAGE;
      update();
    });
    $("statuses").append(button);
  }
  $("search").addEventListener("input", () => {
    chosen.words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    limit = PAGE;
    update();
  });
  const everything = () => {
    $("search").value = "";
    Object.assign(chosen, { words: [], status: null, bin: null, place: null });
    for (const button of document.querySelectorAll("[aria-pressed]")) button.setAttribute("aria-pressed", "false");
    limit = PAGE;
    update();
  };
  $("all").addEventListener("click", everything);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== $("search")) { event.preventDefault(); $("search").focus(); }
    if (event.key === "Escape") everything();
  });
  update();
})();
