"""Results to look at: pages, pictures, tables.

What the commands do, without printing or writing anything: `build.build_report`,
`comparison.compare_systems`, `runs.list_runs`, `rows.make_rows`, `gates.draw_gates`.
"""
