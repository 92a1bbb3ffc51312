"""The face shapes against a public rig, and the head pose against its limits.

Figures: displacements of ICT-FaceKit (USC Institute for Creative Technologies, light model, commit da5f95a607f5, MIT
licence) at the 68 iBUG landmarks of its generic neutral face, x to the subject's left and y up, in outer eye-corner
distances; points that move less than a tenth of the shape's largest move, or under 0.012, are left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from moee_cli.core.labels import ARKIT_BLENDSHAPES, SHAPES
from moee_cli.face.basis import Sites, Slits, follow_fields, seal_fields, shape_fields
from moee_cli.face.controls import bounded, field_weights, motion_of
from moee_cli.face.pose import LIMITS, HeadPose, limit_head, rotation, soft_limit
from moee_cli.face.rooms import Rooms

NEUTRAL: dict[int, tuple[float, float]] = {
    17: (-0.6521, 0.197), 18: (-0.5531, 0.2842), 19: (-0.4254, 0.3154), 20: (-0.2708, 0.3083), 21: (-0.1314, 0.2766),
    22: (0.1314, 0.2766), 23: (0.2707, 0.3083), 24: (0.4253, 0.3154), 25: (0.5531, 0.2842), 26: (0.6521, 0.197),
    27: (-0, 0.0335), 28: (-0, -0.0906), 29: (-0, -0.2052), 30: (-0, -0.3404), 31: (-0.1405, -0.5143),
    32: (-0.0676, -0.5135), 33: (-0, -0.5209), 34: (0.0676, -0.5135), 35: (0.1405, -0.5143), 36: (-0.5, -0.0011),
    37: (-0.4339, 0.0485), 38: (-0.3119, 0.0554), 39: (-0.2068, -0.0213), 40: (-0.306, -0.0401),
    41: (-0.4324, -0.0415), 42: (0.2068, -0.0213), 43: (0.3119, 0.0554), 44: (0.4339, 0.0485), 45: (0.5, -0.0011),
    46: (0.4324, -0.0415), 47: (0.306, -0.0401), 48: (-0.2842, -0.7806), 49: (-0.1909, -0.6973),
    50: (-0.0817, -0.6576), 51: (-0, -0.6643), 52: (0.0817, -0.6576), 53: (0.1909, -0.6973), 54: (0.2842, -0.7806),
    55: (0.2019, -0.8408), 56: (0.116, -0.8684), 57: (-0, -0.8768), 58: (-0.116, -0.8684), 59: (-0.2019, -0.8408),
    60: (-0.2477, -0.7773), 61: (-0.1117, -0.7556), 62: (-0, -0.7586), 63: (0.1117, -0.7556), 64: (0.2477, -0.7773),
    65: (0.1199, -0.7649), 66: (-0, -0.7672), 67: (-0.1199, -0.7649),
    0: (-0.8256, 0.0263), 1: (-0.8159, -0.2188), 2: (-0.7779, -0.4377), 3: (-0.7352, -0.6502), 4: (-0.6419, -0.8891),
    5: (-0.4824, -1.082), 6: (-0.3421, -1.1611), 7: (-0.1723, -1.1998), 8: (-0, -1.2345), 9: (0.1723, -1.1998),
    10: (0.3421, -1.1611), 11: (0.4824, -1.082), 12: (0.6419, -0.8891), 13: (0.7352, -0.6502), 14: (0.7779, -0.4377),
    15: (0.8159, -0.2188), 16: (0.8256, 0.0263),
}  # fmt: skip

MOVES: dict[str, dict[int, tuple[float, float]]] = {
    "jawOpen": {
        4: (0.03, -0.0367), 5: (0.0049, -0.101), 6: (-0.0188, -0.205), 7: (-0.0164, -0.297), 8: (0, -0.316),
        9: (0.0164, -0.297), 10: (0.0188, -0.205), 11: (-0.0049, -0.101), 12: (-0.03, -0.0367), 48: (0.0319, -0.147),
        49: (0.0034, -0.0546), 53: (-0.0034, -0.0546), 54: (-0.0319, -0.147), 55: (-0.001, -0.297),
        56: (0.009, -0.36), 57: (0, -0.393), 58: (-0.009, -0.36), 59: (0.001, -0.297), 60: (0.0237, -0.17),
        61: (0.0031, -0.042), 63: (-0.0031, -0.042), 64: (-0.0237, -0.17), 65: (-0.003, -0.345), 66: (0, -0.395),
        67: (0.003, -0.345),
    },
    "jawLeft": {
        3: (0.021, -0.0028), 4: (0.0393, -0.001), 5: (0.0581, 0.0029), 6: (0.077, 0.0002), 7: (0.0953, 0.0007),
        8: (0.0968, 0.0014), 9: (0.0962, 0.0019), 10: (0.082, 0.0027), 11: (0.0625, 0.0061), 12: (0.0429, 0.0048),
        13: (0.0359, 0.0016), 14: (0.0269, 0.0006), 48: (0.0503, -0.0005), 49: (0.0225, -0.0003),
        50: (0.0186, 0.0003), 51: (0.0187, 0.0003), 52: (0.0197, 0.0001), 53: (0.0267, 0.0006), 54: (0.0561, 0.0041),
        55: (0.0925, 0.0042), 56: (0.094, 0.0043), 57: (0.0881, 0.0037), 58: (0.0818, 0.0044), 59: (0.0783, 0.0029),
        60: (0.0542, 0.0014), 61: (0.0201, 0), 62: (0.0178, 0.0003), 63: (0.0224, 0.001), 64: (0.0611, 0.0042),
        65: (0.0908, 0.0029), 66: (0.0886, 0.0029), 67: (0.0812, 0.0034),
    },
    "mouthLeft": {
        3: (0.0234, 0.0023), 4: (0.0403, 0.0001), 5: (0.0442, -0.0041), 6: (0.0388, 0.0018), 7: (0.0385, 0.0052),
        8: (0.0268, 0.0019), 9: (0.0279, 0.0074), 10: (0.0195, 0.0134), 11: (0.0094, 0.0184), 12: (0.013, 0.0155),
        13: (0.0175, 0.0155), 30: (0.0282, 0.008), 31: (0.0897, -0.0032), 32: (0.0915, 0.0093), 33: (0.0795, 0.0188),
        34: (0.073, 0.0267), 35: (0.06, 0.0356), 48: (0.173, 0.0044), 49: (0.187, -0.0075), 50: (0.189, 0.0033),
        51: (0.18, 0.0092), 52: (0.153, 0.0151), 53: (0.107, 0.0292), 54: (0.0684, 0.0637), 55: (0.112, 0.0364),
        56: (0.143, 0.0204), 57: (0.177, 0.008), 58: (0.193, 0.0016), 59: (0.199, -0.0007), 60: (0.17, 0.0086),
        61: (0.172, 0.0017), 62: (0.159, 0.0033), 63: (0.123, 0.0183), 64: (0.0718, 0.0564), 65: (0.124, 0.0231),
        66: (0.152, 0.0107), 67: (0.175, 0.0051),
    },
    "mouthFunnel": {
        4: (0.014, 0.0062), 5: (0.0098, 0.0113), 7: (-0.0088, -0.0355), 8: (0, -0.0419), 9: (0.0088, -0.0355),
        11: (-0.0098, 0.0113), 12: (-0.014, 0.0062), 48: (0.0383, 0.0002), 49: (0.0043, 0.0305),
        50: (-0.0011, 0.0594), 51: (0, 0.068), 52: (0.0011, 0.0594), 53: (-0.0043, 0.0305), 54: (-0.0383, 0.0002),
        55: (-0.0165, -0.0445), 56: (-0.0039, -0.0816), 57: (0, -0.0995), 58: (0.0039, -0.0816),
        59: (0.0165, -0.0445), 60: (0.0387, -0.0027), 61: (0.024, 0.0307), 62: (0, 0.061), 63: (-0.024, 0.0307),
        64: (-0.0387, -0.0027), 65: (-0.0123, -0.0745), 66: (0, -0.093), 67: (0.0123, -0.0745),
    },
    "mouthPucker": {
        4: (0.0213, 0.0099), 5: (0.0172, 0.0228), 6: (0.007, 0.0228), 10: (-0.007, 0.0228), 11: (-0.0172, 0.0228),
        12: (-0.0213, 0.0099), 30: (0, -0.0132), 48: (0.052, 0.0242), 49: (0.0232, 0.0279), 50: (0.0075, 0.0402),
        51: (0, 0.0413), 52: (-0.0075, 0.0402), 53: (-0.0232, 0.0279), 54: (-0.052, 0.0242), 55: (-0.0345, 0.0078),
        56: (-0.0197, -0.0112), 57: (0, -0.0211), 58: (0.0197, -0.0112), 59: (0.0345, 0.0078), 60: (0.0588, 0.0239),
        61: (0.0281, -0.0099), 63: (-0.0281, -0.0099), 64: (-0.0588, 0.0239), 65: (-0.0283, 0.009),
        67: (0.0283, 0.009),
    },
    "mouthSmileLeft": {
        8: (0, 0.0178), 9: (0.0085, 0.0394), 10: (0.0109, 0.046), 11: (0.0075, 0.0499), 12: (0.0278, 0.0417),
        13: (0.0318, 0.0323), 14: (0.0112, 0.0267), 15: (0.003, 0.0165), 35: (0.0231, 0.0214), 50: (-0.0095, 0.0127),
        51: (0, 0.0195), 52: (0.0214, 0.0285), 53: (0.0593, 0.0617), 54: (0.0792, 0.118), 55: (0.0484, 0.0726),
        56: (0.0256, 0.0423), 57: (0, 0.0225), 58: (-0.0081, 0.0134), 61: (-0.0131, 0.0133), 62: (0, 0.0213),
        63: (0.0422, 0.0428), 64: (0.0779, 0.11), 65: (0.0358, 0.0458), 66: (0, 0.0209), 67: (-0.0109, 0.0139),
    },
    "mouthFrownLeft": {
        35: (0.0013, -0.0125), 53: (0.0086, -0.023), 54: (0.0212, -0.0512), 55: (0.0115, -0.0157),
        64: (0.0204, -0.0432),
    },
    "mouthStretchLeft": {
        10: (0.0113, 0.0082), 11: (0.0278, 0.0067), 12: (0.027, 0.0094), 52: (0.012, -0.0087), 53: (0.0334, -0.0147),
        54: (0.0739, -0.0343), 55: (0.0474, -0.0109), 56: (0.0203, 0.0007), 63: (0.0296, -0.0087),
        64: (0.0786, -0.0296), 65: (0.0309, -0.0048),
    },
    "mouthDimpleLeft": {
        9: (0.0133, 0.0219), 10: (0.005, 0.0236), 11: (-0.008, 0.0156), 53: (0.0203, -0.0059), 54: (0.0095, 0.0305),
        55: (0.0276, 0.0449), 56: (0.0141, 0.0207), 63: (0.0133, -0.0046), 64: (0.0158, 0.0308), 65: (0.0135, 0.0127),
    },
    "mouthUpperUpLeft": {
        32: (-0.0045, 0.0129), 33: (0, 0.0149), 34: (0.0088, 0.0257), 35: (0.019, 0.0568), 50: (-0.0048, 0.0287),
        51: (0, 0.0446), 52: (0.0107, 0.0643), 53: (0.0234, 0.0908), 54: (0.002, 0.049), 61: (-0.005, 0.0206),
        62: (0, 0.0428), 63: (0.016, 0.0663), 64: (-0.0016, 0.0373),
    },
    "mouthLowerDownLeft": {
        8: (0, -0.0204), 9: (0.0077, -0.0326), 10: (0.0082, -0.0112), 54: (-0.0003, -0.0128), 55: (0.0112, -0.0417),
        56: (0.0078, -0.0485), 57: (0, -0.0371), 58: (-0.0025, -0.0153), 64: (0.0003, -0.018), 65: (0.0063, -0.0469),
        66: (0, -0.038), 67: (-0.0019, -0.0142),
    },
    "mouthRollLower": {
        55: (-0.0033, 0.0515), 56: (-0.014, 0.0908), 57: (0, 0.104), 58: (0.014, 0.0908), 59: (0.0033, 0.0515),
        60: (-0.0058, -0.011), 64: (0.0058, -0.011), 65: (-0.0076, 0.021), 66: (0, 0.042), 67: (0.0076, 0.021),
    },
    "mouthRollUpper": {
        31: (-0.0052, -0.0345), 32: (-0.0046, -0.0319), 33: (0, -0.0299), 34: (0.0046, -0.0319),
        35: (0.0052, -0.0345), 48: (-0.0178, 0.0056), 49: (0.0009, -0.0505), 50: (0.0005, -0.0644), 51: (0, -0.0618),
        52: (-0.0005, -0.0644), 53: (-0.0009, -0.0505), 54: (0.0178, 0.0056), 60: (-0.0099, 0.01),
        61: (-0.0052, 0.0144), 62: (0, 0.0197), 63: (0.0052, 0.0144), 64: (0.0099, 0.01),
    },
    "mouthShrugLower": {
        5: (0.0115, 0.0165), 6: (0.0064, 0.038), 7: (0.0053, 0.0854), 8: (0, 0.0914), 9: (-0.0053, 0.0854),
        10: (-0.0064, 0.038), 11: (-0.0115, 0.0165), 48: (-0.0078, 0.0191), 54: (0.0078, 0.0191),
        55: (0.0086, 0.0643), 56: (0.0043, 0.0791), 57: (0, 0.0857), 58: (-0.0043, 0.0791), 59: (-0.0086, 0.0643),
        60: (-0.0094, 0.0262), 64: (0.0094, 0.0262), 65: (0.0129, 0.0695), 66: (0, 0.0772), 67: (-0.0129, 0.0695),
    },
    "mouthShrugUpper": {
        31: (-0.0001, 0.0136), 32: (-0.0004, 0.0253), 33: (0, 0.0289), 34: (0.0004, 0.0256), 35: (0.0001, 0.0142),
        49: (-0.0028, 0.0351), 50: (-0.0016, 0.0578), 51: (0, 0.064), 52: (0.0016, 0.0584), 53: (0.0028, 0.0361),
        61: (-0.0016, 0.047), 62: (0, 0.0591), 63: (0.0016, 0.0479),
    },
    "mouthPressLeft": {
        8: (0, 0.0243), 9: (-0.0027, 0.0421), 10: (-0.0026, 0.0238), 11: (-0.0094, 0.0149), 54: (-0.0013, 0.015),
        55: (-0.0001, 0.0314), 56: (-0.0011, 0.0274), 57: (0, 0.0171), 64: (-0.0035, 0.0175), 65: (-0.0003, 0.019),
    },
    "browInnerUp": {
        17: (0.0019, 0.0124), 18: (-0.0003, 0.0196), 19: (-0.0032, 0.0312), 20: (-0.0069, 0.0588),
        21: (-0.0052, 0.0625), 22: (0.0052, 0.0625), 23: (0.0069, 0.0588), 24: (0.0032, 0.0312), 25: (0.0003, 0.0196),
        26: (-0.0019, 0.0124), 27: (0, 0.0352), 28: (0, 0.017), 29: (0, 0.0138), 30: (0, 0.0122),
    },
    "browDownLeft": {
        22: (-0.0193, -0.02), 23: (-0.0418, -0.0378), 24: (-0.0513, -0.0411), 25: (-0.043, -0.0275),
        26: (-0.0243, -0.0093),
    },
    "browOuterUpLeft": {
        22: (0.0053, 0.0234), 23: (0.0167, 0.0614), 24: (0.0257, 0.0845), 25: (0.0217, 0.0846), 26: (0.0127, 0.0645),
    },
    "eyeBlinkLeft": {
        43: (-0.0248, -0.0853), 44: (-0.0024, -0.088), 47: (-0.0304, 0.0017),
    },
    "eyeWideLeft": {
        43: (0.0037, 0.0334), 44: (0.0029, 0.0324),
    },
    "eyeSquintLeft": {
        46: (-0.0063, 0.0193), 47: (-0.0095, 0.023),
    },
    "noseSneerLeft": {
        10: (0.0016, 0.0175), 11: (-0.003, 0.024), 12: (-0.0091, 0.0232), 13: (-0.0078, 0.0152),
        22: (-0.0048, -0.0322), 23: (-0.0104, -0.0372), 24: (-0.0099, -0.0253), 25: (-0.0064, -0.015),
        29: (0, 0.0144), 30: (0, 0.0202), 31: (-0.0008, 0.013), 32: (-0.0024, 0.018), 33: (0, 0.0214),
        34: (0.0047, 0.0356), 35: (0.0045, 0.0707), 47: (-0.0022, 0.0145), 50: (-0.0017, 0.0286), 51: (0, 0.0434),
        52: (0.0038, 0.0639), 53: (0.0069, 0.0995), 54: (-0.0107, 0.0701), 55: (-0.0018, 0.0229),
        61: (-0.002, 0.0208), 62: (0, 0.0396), 63: (0.0065, 0.067), 64: (-0.0128, 0.0551), 65: (-0.0007, 0.0126),
    },
    "cheekSquintLeft": {
        11: (0.006, 0.0114), 12: (0.0074, 0.027), 13: (0.0012, 0.0283), 14: (-0.0007, 0.0196), 46: (-0.0059, 0.0221),
        47: (-0.0043, 0.0177),
    },
    "cheekPuff": {
        4: (-0.0108, 0.0251), 5: (0.0008, 0.0371), 6: (-0.0026, 0.0225), 7: (0, 0.0249), 8: (0, 0.0274),
        9: (0, 0.0249), 10: (0.0026, 0.0225), 11: (-0.0008, 0.0371), 12: (0.0108, 0.0251), 30: (0, 0.03),
        31: (0.0041, 0.0224), 32: (0.0031, 0.0216), 33: (0, 0.0222), 34: (-0.0031, 0.0216), 35: (-0.0041, 0.0224),
        48: (0.0314, 0.0186), 49: (0.0329, 0.0178), 50: (0.0168, 0.0108), 52: (-0.0168, 0.0108),
        53: (-0.0329, 0.0178), 54: (-0.0314, 0.0186), 55: (-0.0285, 0.0002), 56: (-0.0216, -0.0022),
        58: (0.0216, -0.0022), 59: (0.0285, 0.0002), 60: (0.0296, 0.0168), 61: (0.025, 0.0109), 63: (-0.025, 0.0109),
        64: (-0.0296, 0.0168), 65: (-0.0253, 0.0102), 67: (0.0253, 0.0102),
    },
    "mouthClose": {
        7: (0.0002, 0.0566), 8: (0, 0.044), 9: (-0.0002, 0.0566), 48: (-0.0159, 0.153), 54: (0.0159, 0.153),
        55: (0.0053, 0.322), 56: (0.0019, 0.346), 57: (0, 0.352), 58: (-0.0019, 0.346), 59: (-0.0053, 0.322),
        60: (-0.0121, 0.187), 64: (0.0121, 0.187), 65: (0.0081, 0.403), 66: (0, 0.428), 67: (-0.0081, 0.403),
    },
    "jawForward": {
        3: (-0.0191, -0.0047), 4: (-0.0191, -0.0052), 5: (-0.0147, -0.0028), 6: (-0.0115, -0.0119),
        7: (-0.0034, -0.0182), 8: (0, -0.0188), 9: (0.0034, -0.0182), 10: (0.0115, -0.0119), 11: (0.0147, -0.0028),
        12: (0.0191, -0.0052), 13: (0.0191, -0.0047), 55: (0.0095, -0.009), 56: (0.0064, -0.0111), 57: (0, -0.0129),
        58: (-0.0064, -0.0111), 59: (-0.0095, -0.009), 65: (0.0065, -0.0132), 66: (0, -0.0155),
        67: (-0.0065, -0.0132),
    },
}  # fmt: skip

LOOKS: dict[str, dict[int, tuple[float, float]]] = {
    "eyeLookUpLeft": {
        42: (-0.0001, 0.0055), 43: (0.0029, 0.0367), 44: (0.0012, 0.0326), 45: (0.0016, 0.0144),
        46: (0.003, 0.0172), 47: (-0.0012, 0.0141),
    },
    "eyeLookDownLeft": {
        24: (-0, -0.0029), 25: (0.0003, -0.0033), 26: (-0, -0.0027), 42: (0.0013, -0.0072),
        43: (-0.0009, -0.0705), 44: (-0.0047, -0.0716), 45: (-0.0057, -0.0279), 46: (-0.0038, -0.0225),
        47: (0.0018, -0.0191),
    },
    "eyeLookInLeft": {
        42: (-0.0053, 0.0009), 43: (-0.0228, 0.0037), 44: (-0.0233, -0.004), 45: (-0.0133, -0.0011),
        46: (-0.0204, 0.003), 47: (-0.0199, 0.0013),
    },
    "eyeLookOutLeft": {
        42: (0.0032, -0.0004), 43: (0.0249, -0.0044), 44: (0.0201, 0.0081), 45: (0.0111, 0.0029), 46: (0.0164, 0),
        47: (0.0195, 0.0017),
    },
}  # fmt: skip
"""The way of the lids that follows the eye, from 0.0025 on."""

BELOW = {*range(3, 14), 40, 41, 46, 47, *range(55, 60), 65, 66, 67}
"""Landmarks on the jaw's side of the lips or on a lower lid."""


def neutral() -> np.ndarray:
    """Return the rig's landmarks [68, 2]."""
    return np.array([NEUTRAL[index] for index in range(68)], np.float32)


def slits() -> Slits:
    """Return the slits of the rig's face."""
    points = neutral()
    lips = (points[[60, 61, 62, 63, 64]] + points[[60, 67, 66, 65, 64]]) / 2
    left = (points[[42, 43, 44, 45]], points[[42, 47, 46, 45]])
    right = (points[[36, 37, 38, 39]], points[[36, 41, 40, 39]])
    return Slits(lips, (left, right))


def both_sides(make) -> np.ndarray:
    """Return the displacements [.., 68, 2] of `make(sites)` at the rig's landmarks, each on its side of the slits."""
    above = make(Sites.at(neutral(), slits()))
    below = make(Sites.at(neutral(), slits(), lips="below", lids="below"))
    is_below = np.isin(np.arange(68), list(BELOW))
    return np.where(is_below[None, :, None], below, above)


@pytest.fixture(scope="module")
def fields() -> np.ndarray:
    """Return the displacements [44, 68, 2] of our shapes at the rig's landmarks."""
    return both_sides(shape_fields)


@pytest.fixture(scope="module")
def follows() -> np.ndarray:
    """Return the displacements [6, 68, 2] of lids that follow the gaze."""
    return both_sides(follow_fields)


def drawn(*names: str) -> np.ndarray:
    """Return the field weights [50] that the renderer gives ARKit shapes at 1."""
    shapes = np.zeros(52, np.float32)
    shapes[[ARKIT_BLENDSHAPES.index(name) for name in names]] = 1.0
    return field_weights(bounded(motion_of(shapes)), 0)


def compare(ours: np.ndarray, moves: dict[int, tuple[float, float]]) -> tuple[float, float]:
    """Return cosine and amplitude ratio of our displacements [68, 2] and the rig's."""
    rig = np.zeros((68, 2))
    for index, move in moves.items():
        rig[index] = move
    sizes = np.linalg.norm(ours), np.linalg.norm(rig)
    return (ours * rig).sum() / (sizes[0] * sizes[1]), sizes[0] / sizes[1]


@pytest.mark.parametrize("name", MOVES)
def test_shape_moves_the_face_as_the_reference_rig_does(name, fields):
    # The rig closes lips that the jaw has parted.
    weights = drawn("jawOpen", name) - drawn("jawOpen") if name == "mouthClose" else drawn(name)
    cosine, amplitude = compare(np.tensordot(weights[: len(SHAPES)], fields, 1), MOVES[name])
    assert cosine >= 0.8
    assert 0.7 <= amplitude <= 1.4


@pytest.mark.parametrize("name", LOOKS)
def test_lids_follow_the_gaze_as_the_reference_rig_does(name, follows):
    other = {"eyeLookInLeft": "eyeLookOutRight", "eyeLookOutLeft": "eyeLookInRight"}
    weights = drawn(name, other.get(name, name.replace("Left", "Right")))[len(SHAPES) :]
    left = np.tensordot(weights, follows, 1) * (neutral()[:, :1] > 0)
    cosine, amplitude = compare(left, LOOKS[name])
    assert cosine >= 0.8
    assert 0.7 <= amplitude <= 1.4
    right = np.tensordot(weights, follows, 1) * (neutral()[:, :1] < 0)
    assert np.linalg.norm(right) == pytest.approx(np.linalg.norm(left), rel=0.05)


def test_every_shape_is_compared():
    left_out = {name for name in ARKIT_BLENDSHAPES if name not in {*MOVES, *LOOKS} and not name.endswith("Right")}
    assert left_out == {"tongueOut"}  # the rig's tongue is a mesh of its own


MIRROR = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38,
          37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in SHAPES if name.endswith("Left")])
def test_right_shape_mirrors_left_and_acts_on_the_subjects_own_side(name, fields):
    left, right = fields[SHAPES.index(name)], fields[SHAPES.index(name.replace("Left", "Right"))]
    np.testing.assert_allclose(right, left[MIRROR] * (-1, 1), atol=2e-4)
    if name not in {"jawLeft", "mouthLeft"}:
        x = neutral()[:, 0]
        assert np.linalg.norm(left[x > 0.01]) > 2 * np.linalg.norm(left[x < -0.01])


@pytest.mark.parametrize("name", [name for name in SHAPES if not name.endswith(("Left", "Right"))])
def test_other_shapes_are_symmetric_and_move_something(name, fields):
    field = fields[SHAPES.index(name)]
    np.testing.assert_allclose(field, field[MIRROR] * (-1, 1), atol=2e-4)
    assert np.abs(field).max() > 0.01


def test_a_full_blink_brings_the_lids_together():
    x = np.linspace(0.25, 0.46, 12)
    eye = slits().lids[0]
    upper = np.column_stack([x, np.interp(x, *eye[0].T)]).astype(np.float32)
    lower = np.column_stack([x, np.interp(x, *eye[1].T)]).astype(np.float32)
    blink = SHAPES.index("eyeBlinkLeft")
    closed_upper = upper[:, 1] + shape_fields(Sites.at(upper, slits()))[blink, :, 1]
    closed_lower = lower[:, 1] + shape_fields(Sites.at(lower, slits(), lids="below"))[blink, :, 1]
    assert (closed_upper <= closed_lower + 1e-3).all()
    assert (upper[:, 1] - lower[:, 1]).min() > 0.02


def test_the_two_sides_of_the_lips_move_alike_beyond_the_corners_and_part_between_them():
    jaw = SHAPES.index("jawOpen")
    outside = np.array([[0.30, -0.78], [0.5, -0.9], [-0.35, -0.6]], np.float32)
    above, below = (shape_fields(Sites.at(outside, slits(), lips=side))[jaw] for side in ("above", "below"))
    np.testing.assert_allclose(above, below, atol=1e-6)
    between = np.array([[0.0, -0.763], [0.12, -0.76]], np.float32)
    above, below = (shape_fields(Sites.at(between, slits(), lips=side))[jaw] for side in ("above", "below"))
    assert (above[:, 1] - below[:, 1] > 0.2).all()


def test_small_parts_move_less():
    """Brows below a low forehead, corners of a small mouth; the jaw of a small chin is carried on farther down."""
    small = replace(slits(), rooms=Rooms(forehead=(0.6,), neck=0.6, mouth=0.8))
    at = np.array([[0.42, 0.31], [0.284, -0.77], [0.0, -1.6]], np.float32)
    plain, held = (shape_fields(Sites.at(at, each, lips="below"))[..., 1] for each in (slits(), small))
    ratios = held / np.where(np.abs(plain) < 1e-6, np.nan, plain)
    assert ratios[SHAPES.index("browOuterUpLeft"), 0] == pytest.approx(0.6, abs=0.01)
    assert ratios[SHAPES.index("mouthSmileLeft"), 1] == pytest.approx(0.8, abs=0.01)
    assert ratios[SHAPES.index("jawOpen"), 2] > 1.2


def test_a_seal_parts_the_lips_by_its_weight():
    middle = np.array([[0.0, float(np.interp(0.0, *slits().mouth.T))]], np.float32)
    up, down = (seal_fields(middle, slits(), side).sum(0)[0, 1] for side in ("above", "below"))
    assert up - down == pytest.approx(1.0, abs=1e-3)


def test_head_channels_turn_as_the_labels_say():
    nose = np.array([0.0, -0.35, 0.43])
    assert (rotation(0.1, 0, 0) @ nose)[0] > 0.02  # yaw > 0: to the subject's left
    assert (rotation(0, 0.1, 0) @ nose)[1] > nose[1] + 0.02  # pitch > 0: up
    crown = np.array([0.0, 1.0, 0.0])
    assert (rotation(0, 0, 0.1) @ crown)[0] > 0.05  # roll > 0: to the subject's left shoulder
    turn = rotation(0.1, -0.05, 0.07)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-6)


def test_head_is_held_within_limits_smoothly_and_unchanged_well_inside():
    limits = np.array(LIMITS)
    np.testing.assert_allclose(limit_head((0.6 * limits).astype(np.float32)), 0.6 * limits, rtol=1e-5)
    for factor in (2.0, 100.0):
        held = limit_head((-factor * limits).astype(np.float32))
        assert (np.abs(held) <= limits + 1e-6).all()
        assert (held < 0).all()
    ramp = soft_limit(np.linspace(0, 3, 400, dtype=np.float32), 1.0)
    assert (np.diff(ramp) >= 0).all()
    assert np.abs(np.diff(ramp, 2)).max() < 1e-3


def test_a_still_pose_moves_nothing():
    pose = HeadPose(np.zeros(6, np.float32))
    at = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32) * 0.5
    at[3] = 1.0
    assert pose.still
    np.testing.assert_allclose(pose.shift_of(at), 0.0, atol=1e-6)
