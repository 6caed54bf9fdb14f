"""Classes that Keras itself has, and those of a configuration that it does not have.

Old configurations (HDF5, ``to_json`` of Keras 2) name classes without a module. A name that Keras
does not have is looked up among the custom objects that a program registered.
"""

from __future__ import annotations

import re
from typing import Any, Final

# Of Keras 2.0 to 3.15, TensorFlow's Keras included: models, layers, cells, wrappers, policies,
# initialisers, regularisers, constraints, optimisers, schedules, losses, metrics, operations and
# layers of its applications, but for operations that call a function (Cond, Map and the like).
_NAMES: Final = """
    Sequential Functional Model InputLayer InputSpec DTypePolicy DTypePolicyMap FloatDTypePolicy
    QuantizedDTypePolicy QuantizedFloat8DTypePolicy Policy PolicyV1 KerasTensor __tensor__
    __keras_tensor__ __tuple__ __numpy__ __ellipsis__ __slice__ __lambda__ __bytes__
    __typespec__ TypeSpec function CompileLossFunction slice Operation Node Merge StringDType
    Lambda Dense EinsumDense Activation Embedding Masking Identity Permute RepeatVector Reshape
    Flatten Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout
    GaussianDropout GaussianNoise ActivityRegularization UnitNormalization LayerNormalization
    BatchNormalization BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization
    GroupNormalization SpectralNormalization RMSNormalization Normalization Discretization
    Hashing HashedCrossing CategoryEncoding StringLookup IntegerLookup TextVectorization
    IndexLookup Rescaling Resizing CenterCrop Pipeline MelSpectrogram STFTSpectrogram
    FeatureSpace Add Subtract Multiply Average Maximum Minimum Concatenate Dot Conv1D Conv2D
    Conv3D Convolution1D Convolution2D Convolution3D Conv1DTranspose Conv2DTranspose
    Conv3DTranspose Convolution2DTranspose Convolution3DTranspose Deconvolution2D
    Deconvolution3D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
    SeparableConvolution1D SeparableConvolution2D AtrousConvolution1D AtrousConvolution2D
    LocallyConnected1D LocallyConnected2D Cropping1D Cropping2D Cropping3D UpSampling1D
    UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D MaxPooling1D
    MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D MaxPool3D AveragePooling1D AveragePooling2D
    AveragePooling3D AvgPool1D AvgPool2D AvgPool3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalAveragePooling1D
    GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D
    GlobalAvgPool3D AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D RNN SimpleRNN GRU LSTM GRUV1
    GRUV2 LSTMV1 LSTMV2 CuDNNGRU CuDNNLSTM ConvLSTM1D ConvLSTM2D ConvLSTM3D ConvRNN2D
    SimpleRNNCell GRUCell LSTMCell GRUCellV1 GRUCellV2 LSTMCellV1 LSTMCellV2 ConvLSTM1DCell
    ConvLSTM2DCell ConvLSTM3DCell StackedRNNCells PeepholeLSTMCell AbstractRNNCell DeviceWrapper
    DropoutWrapper ResidualWrapper Bidirectional TimeDistributed Wrapper Layer TFSMLayer
    JaxLayer FlaxLayer TorchModuleWrapper TensorFlowOpLayer TFOpLambda SlicingOpLambda
    ClassMethod InstanceMethod InstanceProperty Attention AdditiveAttention MultiHeadAttention
    GroupedQueryAttention GroupQueryAttention DenseFeatures SequenceFeatures LinearModel
    WideDeepModel ReLU LeakyReLU PReLU ELU ThresholdedReLU Softmax ReversibleEmbedding
    RandomCrop RandomFlip RandomTranslation RandomRotation RandomZoom RandomContrast
    RandomBrightness RandomHeight RandomWidth RandomGrayscale RandomHue RandomSaturation
    RandomSharpness RandomShear RandomPosterization RandomPerspective RandomInvert
    RandomGaussianBlur RandomErasing RandomElasticTransform RandomColorJitter
    RandomColorDegeneration RandomApply Solarization AutoContrast Equalization AugMix CutMix
    MixUp RandAugment MaxNumBoundingBoxes DataLayer RandomFourierFeatures Zeros Ones Constant
    RandomNormal RandomUniform TruncatedNormal VarianceScaling Orthogonal OrthogonalInitializer
    IdentityInitializer GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform
    STFT RandomNormalV2 RandomUniformV2 TruncatedNormalV2 VarianceScalingV2 Initializer L1 L2
    L1L2 OrthogonalRegularizer Regularizer Constraint MaxNorm MinMaxNorm NonNeg UnitNorm
    RadialConstraint Optimizer SGD RMSprop Adam AdamW Adadelta Adagrad Adamax Adafactor Nadam
    Ftrl Lion Lamb Muon LossScaleOptimizer LossScaleOptimizerV3 TFOptimizer OptimizerWrapper
    DynamicLossScale FixedLossScale ScheduleFreeAdamW ExponentialDecay PiecewiseConstantDecay
    PolynomialDecay InverseTimeDecay CosineDecay CosineDecayRestarts LearningRateSchedule Loss
    LossFunctionWrapper MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError
    MeanSquaredLogarithmicError BinaryCrossentropy BinaryFocalCrossentropy
    CategoricalCrossentropy CategoricalFocalCrossentropy SparseCategoricalCrossentropy Hinge
    SquaredHinge CategoricalHinge KLDivergence LogCosh Poisson CosineSimilarity Huber CTC Dice
    Tversky Circle CategoricalGeneralizedCrossEntropy Metric Mean Sum MeanMetricWrapper
    SumOverBatchSize SumOverBatchSizeMetricWrapper MeanTensor Accuracy BinaryAccuracy
    CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy
    SparseTopKCategoricalAccuracy AUC Precision Recall PrecisionAtRecall RecallAtPrecision
    SensitivityAtSpecificity SpecificityAtSensitivity FalsePositives FalseNegatives
    TruePositives TrueNegatives IoU MeanIoU BinaryIoU OneHotIoU OneHotMeanIoU F1Score FBetaScore
    R2Score Pearson PearsonCorrelation ConcordanceCorrelation RootMeanSquaredError
    MeanRelativeError CompileMetrics Abs All Amax Amin Any Arange Arccos Arccosh Arcsin Arcsinh
    Arctan Arctan2 Arctanh Argmax Argmin Argsort Array BroadcastTo Cast Ceil Clip Conj Cos Cosh
    CountNonzero Cumprod Cumsum Diag Diagonal Digitize Divide Einsum Equal Erf Exp ExpandDims
    Expm1 FloorDivide Flip Floor FullLike Gelu GetItem Greater GreaterEqual HardSigmoid IsFinite
    Isfinite Isinf Isnan Less LessEqual Log Log10 Log1p Log2 LogSigmoid LogSoftmax Logaddexp
    LogicalAnd LogicalNot LogicalOr LogicalXor Logsumexp Matmul Max Median Mish Mod Moveaxis
    NanToNum Ndim Negative Norm NotEqual OneHot OnesLike Outer Pad Power Prod Quantile Ravel
    Reciprocal Relu Relu6 Repeat Roll Round Rsqrt Scatter ScatterUpdate Select SegmentMax
    SegmentSum Selu Shape Sigmoid Sign Silu Sin Sinh Size Slice SliceUpdate Softplus Softsign
    Sort Split Sqrt Square Squeeze Stack Std StopGradient Swapaxes Take TakeAlongAxis Tan Tanh
    Tensordot Tile TopK Trace Transpose Tri Tril Triu TrueDivide Unstack Var Vdot Where
    ZerosLike Absolute AdaptiveAveragePool AdaptiveMaxPool AffineTransform AllClose Angle Append
    Argpartition ArraySplit AveragePool BatchNorm Bincount BitwiseAnd BitwiseInvert
    BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor CDist CTCDecode CTCLoss
    Cbrt Celu Cholesky CholeskyInverse Conjugate Conv ConvTranspose ConvertToTensor Copy
    Corrcoef Correlate CropImages Cross Deg2rad DepthToSpace DepthwiseConv Det Diagflat Diff
    DivideNoNan DotProductAttention Dsplit Dstack Eig Eigh ElasticTransform Elu EmptyLike Erfc
    Erfinv Exp2 ExtractPatches ExtractSequences FFT FFT2 Fabs Fliplr Flipud Fmax Fmin Fmod Fold
    Full GaussianBlur Gcd Geomspace Glu HSVToRGB HardShrink HardSilu HardTanh Heaviside
    Histogram Hsplit Hstack Hypot I0 IFFT2 IRFFT ISTFT Imag InTopK Inner Inv IsIn Isclose
    Isneginf Isposinf Isreal JVP Kron LayerNorm Lcm Ldexp LeakyRelu LeftShift Linspace
    Logaddexp2 Logdet Logspace Lstsq LuFactor MapCoordinates MatrixRank MaxPool Meshgrid Min
    Moments MultiHot Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin
    Nanpercentile Nanprod Nanquantile Nanstd Nansum Nanvar Nextafter Nonzero Normalize PSNR
    PadImages Percentile PerspectiveTransform Pinv Polar Ptp Qr RFFT RGBToGrayscale RGBToHSV
    RMSNorm Rad2deg Real Resize RightShift Rot90 SSIM SVD SaturateCast ScaleAndTranslate
    SearchSorted SegmentMin SegmentProd SegmentReduction SeparableConv Signbit Sinc Slogdet
    SobelEdges SoftShrink Solve SolveTriangular SpaceToDepth SparsePlus SparseSigmoid Sparsemax
    Squareplus TanhShrink Threshold Trapezoid Trunc Unfold Unique UnravelIndex Vander View
    ViewAsComplex ViewAsReal Vsplit Vstack ContrastLimitedAdaptiveHistogramEqualization
    MultiOptimizer LogCoshError SeedGenerator Int4DTypePolicy GPTQDTypePolicy AWQDTypePolicy
    Quantizer AbsMaxQuantizer FakeQuantWithMinMaxVars QuantizationConfig Int8QuantizationConfig
    Int4QuantizationConfig Float8QuantizationConfig AWQConfig GPTQConfig OptimizerMap Distiller
    FeatureDistillation LogitsDistillation LayerScale StochasticDepth CustomScaleLayer Feature
    TFDConcat TFDIdentity Rearrange CompileLoss MetricsList
"""
_KNOWN: Final = frozenset(_NAMES.split())
_OWN: Final = re.compile(r"\A(?:tensorflow\.(?:python\.)?)?(?:tf_)?keras\.(?:\w+\.)*")
# tf_keras registers its own optimisers as custom objects; no other class.
_CUSTOM: Final = re.compile(
    r"\ACustom>(?=(?:SGD|RMSprop|Adam|AdamW|Adadelta|Adagrad|Adamax|Adafactor|Nadam|Ftrl|Lion)\Z)"
)
_MODELS: Final = {"Sequential", "Functional", "Model"}


# As a loss or metric may spell a class: "binary_crossentropy", "MeanSquaredError".
_SNAKE: Final = frozenset(name.lower() for name in _KNOWN)


def is_class(name: str) -> bool:
    """Whether Keras has a class of that name, in camel or snake case."""
    return name in _KNOWN or name.replace("_", "").lower() in _SNAKE


def custom_classes(config: dict[str, Any]) -> list[str]:
    """Classes without a module that Keras does not have, in a model or how it was compiled."""
    kind = config.get("class_name")
    if not (isinstance(kind, str) and kind in _MODELS) and "optimizer_config" not in config:
        return []
    found: dict[str, None] = {}
    todo: list[Any] = [config]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()
            name = one.get("class_name")
            if not isinstance(name, str) or _OWN.sub("", _CUSTOM.sub("", name)) in _KNOWN:
                continue
            if "config" in one and one.get("module") is None:
                found[name] = None
    return list(found)
