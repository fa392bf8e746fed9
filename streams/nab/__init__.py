"""The Numenta Anomaly Benchmark: its corpus, its rules of scoring, its result files.

Lavin and Ahmad, Evaluating Real-time Anomaly Detection Algorithms: the Numenta Anomaly
Benchmark (ICMLA 2015, arXiv 1510.03336). Written from the paper and from the published
results, which `tests/streams/nab` compares with; NAB's own code is not in here.
"""
