"""Plots as SVG."""

import math

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 36, 52
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22",
           "#17becf", "#ff7f0e")


def recall_and_rate(name, curves):
    """Rates (logarithmic) over recalls from .8 on, the part near 1 spread out."""
    curves = {library: [(recall, rate) for recall, rate in points if recall >= 0.8]
              for library, points in curves.items()}
    rates = [rate for points in curves.values() for _, rate in points]
    # The errors that are left, halved again and again, are equally far from each other.
    def x_of(recall):
        return -math.log10(max(1 - recall, 0.001))
    canvas = Canvas(name, "recall@10", "queries per CPU second",
                    (x_of(0.8), x_of(0.999)), logs(min(rates), max(rates)))
    for recall in (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999):
        canvas.x_tick(x_of(recall), f"{recall:g}")
    canvas.logarithmic_y_ticks(min(rates), max(rates))
    for library, points in curves.items():
        canvas.line(library, [(x_of(recall), math.log10(rate)) for recall, rate in points])
    return canvas.svg()


def cost_and_size(costs):
    """Microseconds of a query over numbers of vectors (logarithmic), and a fit through them."""
    sizes = [size for points in costs.values() for size, _ in points]
    most = max(cost for points in costs.values() for _, cost in points)
    canvas = Canvas("A query at recall@10 = .99", "vectors", "CPU µs",
                    logs(min(sizes), max(sizes)), (0, 1.1 * most))
    for size in sorted(set(sizes)):
        canvas.x_tick(math.log10(size), f"{size:,}")
    step = 10 ** math.floor(math.log10(most)) / 2
    for number in range(int(1.1 * most / step) + 1):
        canvas.y_tick(number * step, f"{number * step:g}")
    for library, points in costs.items():
        a, b = logarithm_through(points)
        fit = [(math.log10(size), a + b * math.log(size)) for size in (min(sizes), max(sizes))]
        canvas.line(library, [(math.log10(size), cost) for size, cost in points], fit)
    return canvas.svg()


def logarithm_through(points):
    """a and b of the least squares fit a + b ln x."""
    xs, ys = [math.log(x) for x, _ in points], [y for _, y in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    b = sum((one - x) * (other - y) for one, other in zip(xs, ys)) / sum((one - x) ** 2 for one in xs)
    return y - b * x, b


def logs(least, most):
    return math.log10(least) - 0.03, math.log10(most) + 0.03


class Canvas:
    """Axes and lines."""

    def __init__(self, title, x_name, y_name, x_range, y_range):
        self.x_range, self.y_range = x_range, y_range
        self.lines = 0
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<text x="{LEFT}" y="20" font-size="15">{title}</text>',
            f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{x_name}</text>',
            f'<text transform="translate(16 {(TOP + bottom) / 2}) rotate(-90)" '
            f'text-anchor="middle">{y_name}</text>',
            f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#333"/>',
        ]

    def place(self, x, y):
        (x_min, x_max), (y_min, y_max) = self.x_range, self.y_range
        return (LEFT + (x - x_min) / (x_max - x_min) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (y - y_min) / (y_max - y_min) * (HEIGHT - TOP - BOTTOM))

    def x_tick(self, x, label):
        at, _ = self.place(x, 0)
        bottom = HEIGHT - BOTTOM
        self.parts.append(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="#ddd"/>')
        self.parts.append(
            f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>')

    def y_tick(self, y, label):
        _, at = self.place(0, y)
        self.parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        self.parts.append(
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')

    def logarithmic_y_ticks(self, least, most):
        for power in range(int(math.log10(least)), int(math.log10(most)) + 1):
            for digit in (1, 2, 5):
                value = digit * 10**power
                if least <= value <= most:
                    self.y_tick(math.log10(value), f"{value:,}")

    def line(self, name, points, fit=None):
        """A line through points, or points and another line that was fitted to them."""
        colour = COLOURS[self.lines % len(COLOURS)]
        places = [self.place(*point) for point in points]
        through = [self.place(*point) for point in fit] if fit else places
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in through)
        width = 3 if name == "vecstore" else 1.5
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places)
        self.parts.append(f'<g fill="{colour}">{dots}'
                          f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        x, y = WIDTH - RIGHT + 16, TOP + 12 + 20 * self.lines
        self.parts.append(f'<path d="M{x} {y - 4}h22" stroke="{colour}" stroke-width="{width}"/>'
                          f'<text x="{x + 28}" y="{y}">{name}</text></g>')
        self.lines += 1

    def svg(self):
        return "\n".join([*self.parts, "</svg>", ""])
