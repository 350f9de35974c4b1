<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>AnswerView</name>
    <message>
        <source>Copy the answer</source>
        <translation>复制回答</translation>
    </message>
    <message>
        <source>Waits…</source>
        <translation>等待中…</translation>
    </message>
    <message>
        <source>Thinks…</source>
        <translation>正在思考…</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>已停止。</translation>
    </message>
    <message>
        <source>{model} answered from the findings only; it did not see the picture.</source>
        <translation>{model} 只根据识别结果回答，它没有看到图片。</translation>
    </message>
    <message>
        <source>Copied the answer</source>
        <translation>已复制回答</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Close this message</source>
        <translation>关闭此消息</translation>
    </message>
</context>
<context>
    <name>BatchExport</name>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Table for Excel (.csv)…</source>
        <translation>Excel 表格 (.csv)…</translation>
    </message>
    <message>
        <source>Everything (.json)…</source>
        <translation>全部内容 (.json)…</translation>
    </message>
    <message>
        <source>Text files beside the photos (.txt)</source>
        <translation>照片旁的文本文件 (.txt)</translation>
    </message>
    <message>
        <source>Into the photos themselves…</source>
        <translation>写入照片文件本身…</translation>
    </message>
    <message>
        <source>Table (*.csv)</source>
        <translation>表格 (*.csv)</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>Export descriptions</source>
        <translation>导出描述</translation>
    </message>
    <message>
        <source>Exported to {file}</source>
        <translation>已导出到 {file}</translation>
    </message>
    <message>
        <source>{count} text files are there already and say something else.</source>
        <translation>已有 {count} 个内容不同的文本文件。</translation>
    </message>
    <message>
        <source>For example {file}.</source>
        <translation>例如 {file}。</translation>
    </message>
    <message>
        <source>Replace them</source>
        <translation>替换它们</translation>
    </message>
    <message>
        <source>Keep them, write the others</source>
        <translation>保留它们，只写其余的</translation>
    </message>
    <message>
        <source>Write the descriptions into {count} photos?</source>
        <translation>要把描述写入 {count} 张照片吗？</translation>
    </message>
    <message>
        <source>JPEG, PNG and WebP files get them as description and alternative text (XMP). The pictures themselves are not touched, and each original is kept beside its photo as “name.original”.</source>
        <translation>描述会作为说明和替代文本 (XMP) 写入 JPEG、PNG 和 WebP 文件。画面本身不会改动，每个原文件都以“名称.original”保留在照片旁边。</translation>
    </message>
    <message>
        <source>Write</source>
        <translation>写入</translation>
    </message>
    <message>
        <source>{count} photos have their description</source>
        <translation>已为 {count} 张照片写入描述</translation>
    </message>
    <message>
        <source>{count} text files are written</source>
        <translation>已写入 {count} 个文本文件</translation>
    </message>
    <message>
        <source>Stopped: {result}</source>
        <translation>已停止：{result}</translation>
    </message>
</context>
<context>
    <name>ChatPane</name>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Loading the model…</source>
        <translation>正在加载模型…</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>正在阅读…</translation>
    </message>
    <message>
        <source>Answer: {text}</source>
        <translation>回答：{text}</translation>
    </message>
    <message>
        <source>Reading… {percent} %</source>
        <translation>正在阅读… {percent}%</translation>
    </message>
    <message>
        <source>An answer is being written in another conversation.</source>
        <translation>另一个对话正在生成回答。</translation>
    </message>
    <message>
        <source>Context: not used yet</source>
        <translation>上下文：尚未使用</translation>
    </message>
    <message>
        <source>Context {used} of {limit} tokens ({percent} %)</source>
        <translation>上下文 {used} / {limit} 词元（{percent}%）</translation>
    </message>
    <message>
        <source>How much of the conversation the model can see at once. When it is full, the oldest turns go first.</source>
        <translation>模型一次能看到多少对话内容。满了以后，最早的内容会先被略去。</translation>
    </message>
    <message>
        <source>No model is installed yet; get one under Models.</source>
        <translation>尚未安装模型，请到“模型”页获取。</translation>
    </message>
    <message>
        <source>Sending replaces your message and everything after it.</source>
        <translation>发送后会替换你的这条消息及其后的全部内容。</translation>
    </message>
    <message>
        <source>System prompt: {title}</source>
        <translation>系统提示词：{title}</translation>
    </message>
    <message>
        <source>Choose how the model should answer in this conversation</source>
        <translation>选择模型在本对话中的回答方式</translation>
    </message>
    <message>
        <source>{model} does not list {language} among its languages.</source>
        <translation>{model} 支持的语言中没有{language}。</translation>
    </message>
    <message>
        <source>Its answer may make no sense.</source>
        <translation>它的回答可能毫无意义。</translation>
    </message>
    <message>
        <source>Answer with {model}</source>
        <translation>用 {model} 回答</translation>
    </message>
    <message>
        <source>Get {model} ({size})</source>
        <translation>获取 {model}（{size}）</translation>
    </message>
    <message>
        <source>Its answer may make no sense. {model} lists {language}.</source>
        <translation>它的回答可能毫无意义。{model} 支持{language}。</translation>
    </message>
    <message>
        <source>Its answer may make no sense, and no model in the catalogue that fits this machine lists it.</source>
        <translation>它的回答可能毫无意义，而且目录中适合本机的模型都不支持这种语言。</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>{model} is ready.</source>
        <translation>{model} 已就绪。</translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation>重新回答</translation>
    </message>
</context>
<context>
    <name>CodeBlock</name>
    <message>
        <source>code</source>
        <translation>代码</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>复制代码</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>代码</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Write a message</source>
        <translation>写点什么</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Enter sends, Shift+Enter begins a new line.</source>
        <translation>按 Enter 发送，按 Shift+Enter 换行。</translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation>发送 (Enter)</translation>
    </message>
    <message>
        <source>Stop (Esc)</source>
        <translation>停止 (Esc)</translation>
    </message>
    <message>
        <source>Write something first.</source>
        <translation>请先输入内容。</translation>
    </message>
</context>
<context>
    <name>CrashDialog</name>
    <message>
        <source>Something went wrong</source>
        <translation>出错了</translation>
    </message>
    <message>
        <source>This is a mistake in Pollux, not yours. Your conversations are saved. You can go on working; copy the report if you want to tell the authors.</source>
        <translation>这是 Pollux 的错误，与你无关。你的对话已经保存，可以继续使用。如果想告诉开发者，请复制这份报告。</translation>
    </message>
    <message>
        <source>Error report</source>
        <translation>错误报告</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>复制报告</translation>
    </message>
</context>
<context>
    <name>EntryCard</name>
    <message>
        <source>Speech</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Get</source>
        <translation>获取</translation>
    </message>
    <message>
        <source>Download {size}</source>
        <translation>下载 {size}</translation>
    </message>
    <message>
        <source>{size} on disk</source>
        <translation>占用磁盘 {size}</translation>
    </message>
    <message>
        <source>needs {memory} of memory</source>
        <translation>需要 {memory} 内存</translation>
    </message>
    <message>
        <source>Fits this machine</source>
        <translation>适合本机</translation>
    </message>
    <message>
        <source>Needs more memory than this machine can spare ({memory})</source>
        <translation>所需内存超过本机可用的 {memory}</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>继续</translation>
    </message>
</context>
<context>
    <name>FindBar</name>
    <message>
        <source>Find in the transcript</source>
        <translation>在转写稿中查找</translation>
    </message>
    <message>
        <source>Previous place (Shift+Enter)</source>
        <translation>上一处 (Shift+Enter)</translation>
    </message>
    <message>
        <source>Next place (Enter)</source>
        <translation>下一处 (Enter)</translation>
    </message>
    <message>
        <source>Close the search</source>
        <translation>关闭查找</translation>
    </message>
    <message>
        <source>Nothing found.</source>
        <translation>没有找到。</translation>
    </message>
    <message>
        <source>{place} of {total}</source>
        <translation>第 {place} 处，共 {total} 处</translation>
    </message>
</context>
<context>
    <name>HomePane</name>
    <message>
        <source>Home</source>
        <translation>首页</translation>
    </message>
    <message>
        <source>What would you like to do?</source>
        <translation>想做点什么？</translation>
    </message>
    <message>
        <source>Or begin a chat as</source>
        <translation>或者这样开始对话</translation>
    </message>
    <message>
        <source>Everything stays on this machine. Pollux connects to the network only while you let it download a model.</source>
        <translation>一切内容都留在本机。只有在你允许下载模型时，Pollux 才会连接网络。</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Ask anything, think something through.</source>
        <translation>随便问，一起把事情想清楚。</translation>
    </message>
    <message>
        <source>Speech</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Turn recordings, videos or what you say into text.</source>
        <translation>把录音、视频或你说的话变成文字。</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Get photos, folders of them or videos described.</source>
        <translation>为照片、整个照片文件夹或视频生成描述。</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>No model is installed yet.</source>
        <translation>尚未安装模型。</translation>
    </message>
    <message>
        <source>Get the one below, or import a model folder or zip under Models.</source>
        <translation>获取下面这个模型，或在“模型”页导入模型文件夹或 zip 文件。</translation>
    </message>
    <message>
        <source>Import a model folder or zip under Models.</source>
        <translation>请在“模型”页导入模型文件夹或 zip 文件。</translation>
    </message>
    <message>
        <source>{model} (speech)</source>
        <translation>{model}（语音）</translation>
    </message>
    <message>
        <source>{model} (images)</source>
        <translation>{model}（图片）</translation>
    </message>
    <message>
        <source>{size} · needs {memory} of memory · {languages}</source>
        <translation>{size} · 需要 {memory} 内存 · {languages}</translation>
    </message>
    <message>
        <source>In use · {device}</source>
        <translation>使用中 · {device}</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>正在加载…</translation>
    </message>
    <message>
        <source>For speech</source>
        <translation>用于语音</translation>
    </message>
    <message>
        <source>For images</source>
        <translation>用于图片</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Use {model}</source>
        <translation>使用 {model}</translation>
    </message>
    <message>
        <source>{model}: the best model for this machine</source>
        <translation>{model}：最适合本机的模型</translation>
    </message>
    <message>
        <source>{model}: turns speech into text</source>
        <translation>{model}：把语音变成文字</translation>
    </message>
    <message>
        <source>{model}: describes pictures</source>
        <translation>{model}：描述图片</translation>
    </message>
</context>
<context>
    <name>ImageBar</name>
    <message>
        <source>Open pictures…</source>
        <translation>打开图片…</translation>
    </message>
    <message>
        <source>Open folder…</source>
        <translation>打开文件夹…</translation>
    </message>
    <message>
        <source>Paste a picture (Ctrl+V)</source>
        <translation>粘贴图片 (Ctrl+V)</translation>
    </message>
    <message>
        <source>Take what the screen shows; this window steps aside for a moment</source>
        <translation>截取屏幕画面；本窗口会暂时让开</translation>
    </message>
    <message>
        <source>One by one</source>
        <translation>逐张</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>表格</translation>
    </message>
    <message>
        <source>Style of the description</source>
        <translation>描述的方式</translation>
    </message>
    <message>
        <source>Short</source>
        <translation>简短</translation>
    </message>
    <message>
        <source>Alt text</source>
        <translation>替代文本</translation>
    </message>
    <message>
        <source>Detailed</source>
        <translation>详细</translation>
    </message>
    <message>
        <source>Language of the description</source>
        <translation>描述的语言</translation>
    </message>
    <message>
        <source>Image model</source>
        <translation>图片模型</translation>
    </message>
    <message>
        <source>Image model: {state}</source>
        <translation>图片模型：{state}</translation>
    </message>
    <message>
        <source>The image model, and what it runs on</source>
        <translation>图片模型，以及它在什么设备上运行</translation>
    </message>
    <message>
        <source>Free the model&apos;s memory</source>
        <translation>释放模型占用的内存</translation>
    </message>
</context>
<context>
    <name>ImageBatch</name>
    <message>
        <source>Table of pictures</source>
        <translation>图片表格</translation>
    </message>
    <message>
        <source>How many pictures are described</source>
        <translation>已描述多少张图片</translation>
    </message>
    <message>
        <source>No picture has a problem.</source>
        <translation>没有出问题的图片。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Only problems</source>
        <translation>只看有问题的</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Empty the table; the files stay</source>
        <translation>清空表格，文件会保留</translation>
    </message>
    <message>
        <source>A folder of photos in one go</source>
        <translation>一次处理整个照片文件夹</translation>
    </message>
    <message>
        <source>Drop a folder, or as many pictures as you like. Each gets its description here, to be checked and edited.</source>
        <translation>拖入一个文件夹，或任意多张图片。每张都会在这里得到描述，可以检查和修改。</translation>
    </message>
    <message>
        <source>The descriptions go to a table (CSV, JSON), to text files beside the photos, or into the photos themselves; the originals are kept.</source>
        <translation>描述可以导出为表格（CSV、JSON）、照片旁的文本文件，或写入照片文件本身；原文件会保留。</translation>
    </message>
    <message>
        <source>Only problems ({count})</source>
        <translation>只看有问题的（{count}）</translation>
    </message>
    <message>
        <source>Something is being written.</source>
        <translation>正在写入文件。</translation>
    </message>
    <message>
        <source>There is no description yet.</source>
        <translation>还没有描述。</translation>
    </message>
    <message>
        <source>Write the descriptions to files</source>
        <translation>把描述写入文件</translation>
    </message>
    <message>
        <source>{done} of {total} done</source>
        <translation>已完成 {done} / {total}</translation>
    </message>
    <message>
        <source>Writing…</source>
        <translation>正在写入…</translation>
    </message>
    <message>
        <source>Writing: {done} of {total}</source>
        <translation>正在写入：{done} / {total}</translation>
    </message>
    <message>
        <source>Looking for pictures…</source>
        <translation>正在查找图片…</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>All {total} described</source>
        <translation>全部 {total} 张已描述</translation>
    </message>
    <message>
        <source>{count} unsure</source>
        <translation>{count} 张没有把握</translation>
    </message>
    <message>
        <source>{count} failed</source>
        <translation>{count} 张失败</translation>
    </message>
    <message>
        <source>Some pictures were described in another style or language than is chosen now.</source>
        <translation>有些图片的描述方式或语言与现在选择的不同。</translation>
    </message>
    <message>
        <source>Describe them again</source>
        <translation>重新描述这些图片</translation>
    </message>
    <message>
        <source>{count} descriptions could not be written.</source>
        <translation>有 {count} 条描述无法写入。</translation>
    </message>
    <message>
        <source>Nothing was changed there; the state of each says why.</source>
        <translation>那些文件没有改动；状态栏说明了各自的原因。</translation>
    </message>
    <message>
        <source>Show them</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>{done} pictures are described.</source>
        <translation>已描述 {done} 张图片。</translation>
    </message>
    <message>
        <source>{count} could not be.</source>
        <translation>{count} 张无法描述。</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Edit the description</source>
        <translation>修改描述</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Look at it alone</source>
        <translation>单独查看</translation>
    </message>
    <message>
        <source>Describe again</source>
        <translation>重新描述</translation>
    </message>
    <message>
        <source>Show the folder</source>
        <translation>打开所在文件夹</translation>
    </message>
    <message>
        <source>Take from the table</source>
        <translation>从表格中移除</translation>
    </message>
</context>
<context>
    <name>ImageEmpty</name>
    <message>
        <source>Images</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Pictures become words</source>
        <translation>把图片变成文字</translation>
    </message>
    <message>
        <source>Drop photos, a folder of them, or a video anywhere in this window, and read what is on them.</source>
        <translation>把照片、照片文件夹或视频拖到窗口的任何位置，就能读到里面有什么。</translation>
    </message>
    <message>
        <source>Open pictures…</source>
        <translation>打开图片…</translation>
    </message>
    <message>
        <source>Open folder…</source>
        <translation>打开文件夹…</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>粘贴</translation>
    </message>
    <message>
        <source>From the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Takes JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, BMP, SVG and most others; of animated pictures the first frame, of videos the key frames.</source>
        <translation>支持 JPEG、PNG、WebP、HEIC、AVIF、TIFF、GIF、BMP、SVG 等格式；动图取第一帧，视频取关键帧。</translation>
    </message>
    <message>
        <source>A folder becomes a table of descriptions that can be edited and exported.</source>
        <translation>文件夹会变成一张描述表格，可以修改和导出。</translation>
    </message>
    <message>
        <source>Everything stays on this machine. Descriptions can be wrong: the pane says how sure the model is.</source>
        <translation>一切都留在这台电脑上。描述可能出错：页面会显示模型有多大把握。</translation>
    </message>
    <message>
        <source>{model} is needed first ({size})</source>
        <translation>首先需要 {model}（{size}）</translation>
    </message>
    <message>
        <source>No image model is installed yet.</source>
        <translation>还没有安装图片模型。</translation>
    </message>
    <message>
        <source>Import one under Models</source>
        <translation>到“模型”页导入</translation>
    </message>
</context>
<context>
    <name>ImageFindings</name>
    <message>
        <source>The file is damaged: only a part of the picture could be read.</source>
        <translation>文件已损坏：只能读出图片的一部分。</translation>
    </message>
    <message>
        <source>Likely subjects</source>
        <translation>图中可能有</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>颜色</translation>
    </message>
    <message>
        <source>About the file</source>
        <translation>关于文件</translation>
    </message>
    <message>
        <source>Text in the picture</source>
        <translation>图中文字</translation>
    </message>
    <message>
        <source>Copy the text in the picture</source>
        <translation>复制图中文字</translation>
    </message>
    <message>
        <source>Copied the text in the picture</source>
        <translation>已复制图中文字</translation>
    </message>
</context>
<context>
    <name>ImageFrames</name>
    <message>
        <source>Transcript of its sound</source>
        <translation>转写声音</translation>
    </message>
    <message>
        <source>Turn what is said in this video into text, under Speech</source>
        <translation>到“语音”页把这个视频里说的话变成文字</translation>
    </message>
    <message>
        <source>Key frames</source>
        <translation>关键帧</translation>
    </message>
</context>
<context>
    <name>ImagePane</name>
    <message>
        <source>Images</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Pictures and videos ({endings})</source>
        <translation>图片和视频 ({endings})</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>Choose pictures</source>
        <translation>选择图片</translation>
    </message>
    <message>
        <source>Choose a folder of pictures</source>
        <translation>选择图片文件夹</translation>
    </message>
    <message>
        <source>Pasted picture</source>
        <translation>粘贴的图片</translation>
    </message>
    <message>
        <source>Dropped picture</source>
        <translation>拖入的图片</translation>
    </message>
    <message>
        <source>Screen</source>
        <translation>屏幕截图</translation>
    </message>
    <message>
        <source>{name}: {text}</source>
        <translation>{name}：{text}</translation>
    </message>
    <message>
        <source>{name} is described.</source>
        <translation>{name} 已描述完成。</translation>
    </message>
    <message>
        <source>Saved {file}</source>
        <translation>已保存 {file}</translation>
    </message>
</context>
<context>
    <name>ImageQuestion</name>
    <message>
        <source>Ask about this picture</source>
        <translation>就这张图片提问</translation>
    </message>
    <message>
        <source>Ask (Enter)</source>
        <translation>提问 (Enter)</translation>
    </message>
</context>
<context>
    <name>ImageResult</name>
    <message>
        <source>Description</source>
        <translation>描述</translation>
    </message>
    <message>
        <source>The image model&apos;s own sentence</source>
        <translation>图片模型的原句</translation>
    </message>
    <message>
        <source>Copy the description</source>
        <translation>复制描述</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Describe</source>
        <translation>生成描述</translation>
    </message>
    <message>
        <source>Copy alt text</source>
        <translation>复制替代文本</translation>
    </message>
    <message>
        <source>At most 125 characters, for those who hear the picture instead</source>
        <translation>最多 125 个字符，给用听代替看图的人</translation>
    </message>
    <message>
        <source>Send to chat</source>
        <translation>发送到对话</translation>
    </message>
    <message>
        <source>Begin a chat with the description and what was found</source>
        <translation>用描述和识别结果开始一个新对话</translation>
    </message>
    <message>
        <source>The picture is being read…</source>
        <translation>正在读取图片…</translation>
    </message>
    <message>
        <source>There is no picture to show.</source>
        <translation>没有可显示的图片。</translation>
    </message>
    <message>
        <source>Picture: {name}</source>
        <translation>图片：{name}</translation>
    </message>
    <message>
        <source>Point at a word, or go from word to word with the arrows: the picture shows where the model looked.</source>
        <translation>指向某个词或按方向键，图上会显示模型看的位置。</translation>
    </message>
    <message>
        <source>Is being described… {done} of {total}</source>
        <translation>正在描述… {done} / {total}</translation>
    </message>
    <message>
        <source>Is being described…</source>
        <translation>正在描述…</translation>
    </message>
    <message>
        <source>{confidence}. Read this description with doubt.</source>
        <translation>{confidence}。这条描述仅供参考。</translation>
    </message>
    <message>
        <source>There is no description yet.</source>
        <translation>还没有描述。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>The picture cannot be read.</source>
        <translation>无法读取这张图片。</translation>
    </message>
    <message>
        <source>No image model is installed yet.</source>
        <translation>还没有安装图片模型。</translation>
    </message>
    <message>
        <source>Copied the description</source>
        <translation>已复制描述</translation>
    </message>
    <message>
        <source>Copied the alt text</source>
        <translation>已复制替代文本</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Describe again</source>
        <translation>重新描述</translation>
    </message>
    <message>
        <source>Save where it looked as PNG…</source>
        <translation>把看的位置保存为 PNG…</translation>
    </message>
    <message>
        <source>Show the folder</source>
        <translation>打开所在文件夹</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>从列表中移除</translation>
    </message>
    <message>
        <source>Save where the model looked for “{word}”</source>
        <translation>保存模型写“{word}”时看的位置</translation>
    </message>
    <message>
        <source>PNG (*.png)</source>
        <translation>PNG (*.png)</translation>
    </message>
</context>
<context>
    <name>LanguageLine</name>
    <message>
        <source>Get a model that knows the language</source>
        <translation>获取懂这种语言的模型</translation>
    </message>
    <message>
        <source>The chat model in use does not know {language}.</source>
        <translation>正在使用的对话模型不懂{language}。</translation>
    </message>
    <message>
        <source>Use {model}</source>
        <translation>使用 {model}</translation>
    </message>
    <message>
        <source>No installed model knows {language}.</source>
        <translation>已安装的模型都不懂{language}。</translation>
    </message>
    <message>
        <source>Get {model} ({size})</source>
        <translation>获取 {model}（{size}）</translation>
    </message>
</context>
<context>
    <name>LevelMeter</name>
    <message>
        <source>Level of the microphone</source>
        <translation>麦克风音量</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>显示或隐藏侧栏</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Copied the answer</source>
        <translation>已复制回答</translation>
    </message>
    <message>
        <source>Import the model {name}?</source>
        <translation>要导入模型 {name} 吗？</translation>
    </message>
    <message>
        <source>It is checked and copied to the models folder.</source>
        <translation>将先检查，再复制到模型文件夹。</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>导入</translation>
    </message>
</context>
<context>
    <name>MessageView</name>
    <message>
        <source>Conversation</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Show earlier messages</source>
        <translation>显示更早的消息</translation>
    </message>
    <message>
        <source>Scroll the conversation</source>
        <translation>滚动对话</translation>
    </message>
</context>
<context>
    <name>MessageWidget</name>
    <message>
        <source>Copy this message (C)</source>
        <translation>复制这条消息 (C)</translation>
    </message>
    <message>
        <source>Edit and send again (E)</source>
        <translation>编辑并重新发送 (E)</translation>
    </message>
    <message>
        <source>Answer again (R)</source>
        <translation>重新回答 (R)</translation>
    </message>
    <message>
        <source>You</source>
        <translation>你</translation>
    </message>
    <message>
        <source>Your message</source>
        <translation>你的消息</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>{speed} tokens/s</source>
        <translation>{speed} 词元/秒</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} 词元</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>cut at the length limit</source>
        <translation>达到长度上限</translation>
    </message>
    <message>
        <source>broken off</source>
        <translation>中断</translation>
    </message>
</context>
<context>
    <name>Microphone</name>
    <message>
        <source>System default</source>
        <translation>系统默认</translation>
    </message>
</context>
<context>
    <name>ModelButton</name>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Choose the model and the device</source>
        <translation>选择模型和设备</translation>
    </message>
    <message>
        <source>Loading · {model}</source>
        <translation>正在加载 · {model}</translation>
    </message>
    <message>
        <source>Failed · {model}</source>
        <translation>加载失败 · {model}</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>选择模型</translation>
    </message>
    <message>
        <source>No model installed</source>
        <translation>未安装模型</translation>
    </message>
    <message>
        <source>Model: {state}</source>
        <translation>模型：{state}</translation>
    </message>
    <message>
        <source>{model}   {size}</source>
        <translation>{model}   {size}</translation>
    </message>
    <message>
        <source>No model is installed</source>
        <translation>未安装模型</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Free the model&apos;s memory</source>
        <translation>释放模型占用的内存</translation>
    </message>
    <message>
        <source>Get more models…</source>
        <translation>获取更多模型…</translation>
    </message>
</context>
<context>
    <name>ModelOffer</name>
    <message>
        <source>Download {size} · needs {memory} of memory · {languages}</source>
        <translation>下载 {size} · 需要 {memory} 内存 · {languages}</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Get</source>
        <translation>获取</translation>
    </message>
    <message>
        <source>Get {model}</source>
        <translation>获取 {model}</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>继续</translation>
    </message>
</context>
<context>
    <name>ModelsPane</name>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Import folder…</source>
        <translation>导入文件夹…</translation>
    </message>
    <message>
        <source>Import zip…</source>
        <translation>导入 zip…</translation>
    </message>
    <message>
        <source>Installed</source>
        <translation>已安装</translation>
    </message>
    <message>
        <source>Nothing yet. Get a model below, or import one.</source>
        <translation>还没有模型。请在下面获取一个，或导入自己的模型。</translation>
    </message>
    <message>
        <source>Available</source>
        <translation>可获取</translation>
    </message>
    <message>
        <source>{name} was imported.</source>
        <translation>已导入 {name}。</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>选择模型文件夹</translation>
    </message>
    <message>
        <source>Choose a zipped model</source>
        <translation>选择打包的模型</translation>
    </message>
    <message>
        <source>Zip files (*.zip)</source>
        <translation>Zip 文件 (*.zip)</translation>
    </message>
</context>
<context>
    <name>PackCard</name>
    <message>
        <source>Speech</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Use {model}</source>
        <translation>使用 {model}</translation>
    </message>
    <message>
        <source>Verify the files of {model}</source>
        <translation>校验 {model} 的文件</translation>
    </message>
    <message>
        <source>Open the folder of {model}</source>
        <translation>打开 {model} 的文件夹</translation>
    </message>
    <message>
        <source>Remove {model}</source>
        <translation>移除 {model}</translation>
    </message>
    <message>
        <source>{size} on disk</source>
        <translation>占用磁盘 {size}</translation>
    </message>
    <message>
        <source>needs {memory} of memory</source>
        <translation>需要 {memory} 内存</translation>
    </message>
    <message>
        <source>context {count} tokens</source>
        <translation>上下文 {count} 词元</translation>
    </message>
    <message>
        <source>licence not stated</source>
        <translation>未注明许可证</translation>
    </message>
    <message>
        <source>imported folder</source>
        <translation>导入的文件夹</translation>
    </message>
    <message>
        <source>source not stated</source>
        <translation>未注明来源</translation>
    </message>
    <message>
        <source>part of Pollux</source>
        <translation>Pollux 自带</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>正在加载…</translation>
    </message>
    <message>
        <source>It is being loaded.</source>
        <translation>正在加载。</translation>
    </message>
    <message>
        <source>In use · {device}</source>
        <translation>使用中 · {device}</translation>
    </message>
    <message>
        <source>It is in use.</source>
        <translation>正在使用。</translation>
    </message>
    <message>
        <source>It is part of Pollux and goes with it.</source>
        <translation>它是 Pollux 自带的，无法单独移除。</translation>
    </message>
    <message>
        <source>This folder came without hashes to compare with.</source>
        <translation>这个文件夹没有附带可供比对的校验值。</translation>
    </message>
    <message>
        <source>Remove {model}?</source>
        <translation>要移除 {model} 吗？</translation>
    </message>
    <message>
        <source>This frees {size}. It can be got again later.</source>
        <translation>将释放 {size} 空间，以后可以重新获取。</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
</context>
<context>
    <name>PictureModel</name>
    <message>
        <source>Picture of {name}</source>
        <translation>{name} 的图片</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Description</source>
        <translation>描述</translation>
    </message>
    <message>
        <source>How sure</source>
        <translation>把握</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
</context>
<context>
    <name>PictureTable</name>
    <message>
        <source>Descriptions of the pictures</source>
        <translation>图片的描述</translation>
    </message>
</context>
<context>
    <name>PlayerBar</name>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>Place in the recording</source>
        <translation>录音中的位置</translation>
    </message>
    <message>
        <source>Pause (Space)</source>
        <translation>暂停（空格）</translation>
    </message>
    <message>
        <source>Play (Space)</source>
        <translation>播放（空格）</translation>
    </message>
</context>
<context>
    <name>PreferencesPane</name>
    <message>
        <source>Preferences</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Like the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>文字大小</translation>
    </message>
    <message>
        <source>Language of the interface</source>
        <translation>界面语言</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Automatic takes the graphics card where one works, and falls back to the CPU.</source>
        <translation>“自动”会优先使用可用的显卡，否则使用 CPU。</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>线程数</translation>
    </message>
    <message>
        <source>Automatic is one for each physical core.</source>
        <translation>“自动”为每个物理核心一个线程。</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>最长回答</translation>
    </message>
    <message>
        <source>In tokens; a token is about three quarters of an English word.</source>
        <translation>以词元计；一个词元约为一个汉字，或四分之三个英文单词。</translation>
    </message>
    <message>
        <source>On</source>
        <translation>开启</translation>
    </message>
    <message>
        <source>Always the likeliest word</source>
        <translation>总是选最可能的词</translation>
    </message>
    <message>
        <source>The same question gets the same answer.</source>
        <translation>相同的问题会得到相同的回答。</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Higher is more varied, lower is more sober.</source>
        <translation>越高越多变，越低越稳重。</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>Choose among the likeliest words that together have this share.</source>
        <translation>只在累计概率达到此值的最可能的词中选择。</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Top-k</source>
        <translation>Top-k</translation>
    </message>
    <message>
        <source>Choose among this many of the likeliest words.</source>
        <translation>只在这么多个最可能的词中选择。</translation>
    </message>
    <message>
        <source>Min-p</source>
        <translation>Min-p</translation>
    </message>
    <message>
        <source>Leave out words below this share of the likeliest one.</source>
        <translation>排除概率低于最可能词此比例的词。</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>重复惩罚</translation>
    </message>
    <message>
        <source>Above 1, words that were used become less likely.</source>
        <translation>大于 1 时，用过的词更不容易再次出现。</translation>
    </message>
    <message>
        <source>Another one each time</source>
        <translation>每次不同</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>The same seed and settings give the same answer.</source>
        <translation>种子和设置相同，回答就相同。</translation>
    </message>
    <message>
        <source>Default answer settings</source>
        <translation>恢复默认回答设置</translation>
    </message>
    <message>
        <source>Show logs</source>
        <translation>查看日志</translation>
    </message>
    <message>
        <source>Open models folder</source>
        <translation>打开模型文件夹</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>Not used while the likeliest word is always taken.</source>
        <translation>在总是选最可能的词时不起作用。</translation>
    </message>
</context>
<context>
    <name>PromptDialog</name>
    <message>
        <source>System prompt</source>
        <translation>系统提示词</translation>
    </message>
    <message>
        <source>What the model is told before the conversation begins. Empty means the model&apos;s own default.</source>
        <translation>对话开始前告诉模型的话。留空则使用模型自己的默认设定。</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>预设</translation>
    </message>
</context>
<context>
    <name>QueueList</name>
    <message>
        <source>Recordings</source>
        <translation>录音</translation>
    </message>
</context>
<context>
    <name>QueueModel</name>
    <message>
        <source>Earlier</source>
        <translation>以前</translation>
    </message>
    <message>
        <source>Waits for the recording</source>
        <translation>等待录音结束</translation>
    </message>
</context>
<context>
    <name>ReadText</name>
    <message>
        <source>Text in the picture</source>
        <translation>图中文字</translation>
    </message>
</context>
<context>
    <name>RecordStrip</name>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Opening the microphone…</source>
        <translation>正在打开麦克风…</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>正在录音</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Finishing…</source>
        <translation>正在收尾…</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>What was said last is still being written.</source>
        <translation>最后说的话还在写下来。</translation>
    </message>
</context>
<context>
    <name>RichText</name>
    <message>
        <source>Pollux does not open links of this kind.</source>
        <translation>Pollux 不会打开这类链接。</translation>
    </message>
    <message>
        <source>Open this link in the browser? It was written by a model.</source>
        <translation>要在浏览器中打开这个链接吗？它是模型写出来的。</translation>
    </message>
</context>
<context>
    <name>SearchLine</name>
    <message>
        <source>Clear the search</source>
        <translation>清除搜索</translation>
    </message>
</context>
<context>
    <name>SegmentDelegate</name>
    <message>
        <source>Text of this line</source>
        <translation>这一行的文字</translation>
    </message>
    <message>
        <source>Enter keeps the change, Escape leaves it as it was.</source>
        <translation>按 Enter 保留修改，按 Esc 放弃修改。</translation>
    </message>
</context>
<context>
    <name>SegmentModel</name>
    <message>
        <source>Click to hear it from here</source>
        <translation>点击从这里开始听</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>文字</translation>
    </message>
</context>
<context>
    <name>SegmentTable</name>
    <message>
        <source>Transcript</source>
        <translation>转写稿</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Home</source>
        <translation>首页</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Preferences</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>对话记录</translation>
    </message>
    <message>
        <source>Search conversations</source>
        <translation>搜索对话</translation>
    </message>
    <message>
        <source>Nothing found.</source>
        <translation>没有找到。</translation>
    </message>
    <message>
        <source>Your conversations appear here.</source>
        <translation>你的对话会显示在这里。</translation>
    </message>
    <message>
        <source>Untitled</source>
        <translation>无标题</translation>
    </message>
    <message>
        <source>Speech</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>重命名…</translation>
    </message>
    <message>
        <source>Export as Markdown…</source>
        <translation>导出为 Markdown…</translation>
    </message>
    <message>
        <source>Export as JSON…</source>
        <translation>导出为 JSON…</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>删除…</translation>
    </message>
    <message>
        <source>Rename conversation</source>
        <translation>重命名对话</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>标题</translation>
    </message>
    <message>
        <source>Delete “{title}”?</source>
        <translation>要删除“{title}”吗？</translation>
    </message>
    <message>
        <source>This cannot be undone.</source>
        <translation>此操作无法撤销。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>Export conversation</source>
        <translation>导出对话</translation>
    </message>
    <message>
        <source>You</source>
        <translation>你</translation>
    </message>
    <message>
        <source>Exported to {file}</source>
        <translation>已导出到 {file}</translation>
    </message>
</context>
<context>
    <name>SpeechBar</name>
    <message>
        <source>Add files…</source>
        <translation>添加文件…</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录音</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>麦克风</translation>
    </message>
    <message>
        <source>Language of the recording</source>
        <translation>录音的语言</translation>
    </message>
    <message>
        <source>Translate to English</source>
        <translation>翻译成英语</translation>
    </message>
    <message>
        <source>Word times</source>
        <translation>逐词时间</translation>
    </message>
    <message>
        <source>When each word is said, for JSON files and doubtful words; a little slower.</source>
        <translation>每个词是什么时候说的，用于 JSON 文件和标出没把握的词；会稍慢一些。</translation>
    </message>
    <message>
        <source>Microphone, language and other choices</source>
        <translation>麦克风、语言和其他选项</translation>
    </message>
    <message>
        <source>No speech model is installed yet.</source>
        <translation>还没有安装语音模型。</translation>
    </message>
    <message>
        <source>A recording goes on.</source>
        <translation>正在录音。</translation>
    </message>
    <message>
        <source>Record with the microphone and read along</source>
        <translation>用麦克风录音，边说边看文字</translation>
    </message>
    <message>
        <source>Writes English, whatever is said.</source>
        <translation>不管说的是什么语言，都写成英语。</translation>
    </message>
    <message>
        <source>This model knows English only.</source>
        <translation>这个模型只懂英语。</translation>
    </message>
    <message>
        <source>Speech model</source>
        <translation>语音模型</translation>
    </message>
    <message>
        <source>Speech model: {state}</source>
        <translation>语音模型：{state}</translation>
    </message>
    <message>
        <source>The speech model, and what it runs on</source>
        <translation>语音模型，以及它在什么设备上运行</translation>
    </message>
    <message>
        <source>Default microphone</source>
        <translation>默认麦克风</translation>
    </message>
    <message>
        <source>The one used last (not connected)</source>
        <translation>上次用的麦克风（未连接）</translation>
    </message>
    <message>
        <source>Detect the language</source>
        <translation>自动识别语言</translation>
    </message>
    <message>
        <source>The language that is spoken</source>
        <translation>录音里说的语言</translation>
    </message>
    <message>
        <source>Speech models</source>
        <translation>语音模型</translation>
    </message>
</context>
<context>
    <name>SpeechEmpty</name>
    <message>
        <source>Speech</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Recordings become text</source>
        <translation>把录音变成文字</translation>
    </message>
    <message>
        <source>Drop files of sound or video anywhere in this window, or record with the microphone and read along.</source>
        <translation>把音频或视频文件拖到窗口的任何位置，或者用麦克风录音，边说边看文字。</translation>
    </message>
    <message>
        <source>Takes wav, mp3, m4a, flac, ogg, opus, mp4, mkv, mov, webm and most others, of any length.</source>
        <translation>支持 wav、mp3、m4a、flac、ogg、opus、mp4、mkv、mov、webm 和大多数其他格式，长短不限。</translation>
    </message>
    <message>
        <source>Files with copy protection and videos without sound cannot be read.</source>
        <translation>有版权保护的文件和没有声音的视频无法读取。</translation>
    </message>
    <message>
        <source>Everything stays on this machine. What was transcribed is kept, even after a crash.</source>
        <translation>一切都留在这台电脑上。转写过的内容会保留，即使程序崩溃。</translation>
    </message>
    <message>
        <source>{model} is needed first ({size})</source>
        <translation>首先需要 {model}（{size}）</translation>
    </message>
    <message>
        <source>No speech model is installed yet.</source>
        <translation>还没有安装语音模型。</translation>
    </message>
    <message>
        <source>Import one under Models</source>
        <translation>到“模型”页导入</translation>
    </message>
</context>
<context>
    <name>SpeechHead</name>
    <message>
        <source>All recordings</source>
        <translation>全部录音</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Text (.txt)…</source>
        <translation>文本 (.txt)…</translation>
    </message>
    <message>
        <source>Subtitles (.srt)…</source>
        <translation>字幕 (.srt)…</translation>
    </message>
    <message>
        <source>Web subtitles (.vtt)…</source>
        <translation>网页字幕 (.vtt)…</translation>
    </message>
    <message>
        <source>Everything (.json)…</source>
        <translation>全部内容 (.json)…</translation>
    </message>
    <message>
        <source>Send to chat</source>
        <translation>发送到对话</translation>
    </message>
    <message>
        <source>Put the text into the message field of the chat</source>
        <translation>把文字放进对话的输入框</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>总结</translation>
    </message>
    <message>
        <source>Begin a chat that summarises the text</source>
        <translation>开始一个新对话来总结这些文字</translation>
    </message>
    <message>
        <source>Copy all</source>
        <translation>全部复制</translation>
    </message>
    <message>
        <source>Find (Ctrl+F)</source>
        <translation>查找 (Ctrl+F)</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>There is no text yet.</source>
        <translation>还没有文字。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Transcribe</source>
        <translation>转写</translation>
    </message>
    <message>
        <source>The recording {name} is not there any more.</source>
        <translation>录音 {name} 已经不在了。</translation>
    </message>
    <message>
        <source>Copied the transcript</source>
        <translation>已复制转写稿</translation>
    </message>
    <message>
        <source>Text (*.txt)</source>
        <translation>文本 (*.txt)</translation>
    </message>
    <message>
        <source>Subtitles (*.srt)</source>
        <translation>字幕 (*.srt)</translation>
    </message>
    <message>
        <source>Web subtitles (*.vtt)</source>
        <translation>网页字幕 (*.vtt)</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>Export transcript</source>
        <translation>导出转写稿</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>录音</translation>
    </message>
    <message>
        <source>Transcribe again</source>
        <translation>重新转写</translation>
    </message>
    <message>
        <source>Copy the selected lines</source>
        <translation>复制选中的行</translation>
    </message>
    <message>
        <source>Describe its key frames</source>
        <translation>描述关键帧</translation>
    </message>
    <message>
        <source>Show the folder</source>
        <translation>打开所在文件夹</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>移除…</translation>
    </message>
    <message>
        <source>Delete the recording {name} and its transcript?</source>
        <translation>要删除录音 {name} 和它的转写稿吗？</translation>
    </message>
    <message>
        <source>Delete the transcript of {name}?</source>
        <translation>要删除 {name} 的转写稿吗？</translation>
    </message>
    <message>
        <source>The recording itself stays. This cannot be undone.</source>
        <translation>录音文件本身会保留。此操作无法撤销。</translation>
    </message>
    <message>
        <source>This cannot be undone.</source>
        <translation>此操作无法撤销。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
</context>
<context>
    <name>SpeechPane</name>
    <message>
        <source>Speech</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Sound and video ({endings})</source>
        <translation>音频和视频 ({endings})</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>Choose recordings</source>
        <translation>选择录音</translation>
    </message>
    <message>
        <source>Record again</source>
        <translation>重新录音</translation>
    </message>
    <message>
        <source>{name} is transcribed.</source>
        <translation>{name} 已转写完成。</translation>
    </message>
    <message>
        <source>{name} could not be transcribed.</source>
        <translation>{name} 无法转写。</translation>
    </message>
    <message>
        <source>Exported to {file}</source>
        <translation>已导出到 {file}</translation>
    </message>
</context>
<context>
    <name>SpeechResult</name>
    <message>
        <source>It can be heard when the recording is over.</source>
        <translation>录音结束后才能播放。</translation>
    </message>
    <message>
        <source>It is in the queue.</source>
        <translation>正在排队。</translation>
    </message>
    <message>
        <source>The text appears here as it is written.</source>
        <translation>文字会随着转写出现在这里。</translation>
    </message>
    <message>
        <source>Speak; the text appears here.</source>
        <translation>请说话，文字会出现在这里。</translation>
    </message>
    <message>
        <source>Finishing…</source>
        <translation>正在收尾…</translation>
    </message>
    <message>
        <source>No speech was found in it.</source>
        <translation>其中没有找到语音。</translation>
    </message>
    <message>
        <source>It is not transcribed yet.</source>
        <translation>还没有转写。</translation>
    </message>
    <message>
        <source>Line</source>
        <translation>行</translation>
    </message>
    <message>
        <source>Hear it from {time}</source>
        <translation>从 {time} 开始听</translation>
    </message>
    <message>
        <source>Edit (F2)</source>
        <translation>编辑 (F2)</translation>
    </message>
    <message>
        <source>Copy the selected lines</source>
        <translation>复制选中的行</translation>
    </message>
</context>
<context>
    <name>TaskBar</name>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
</context>
<context>
    <name>catalogue</name>
    <message>
        <source>Describes a photo in one English sentence, and shows where it looked. People, dogs, sports, outdoors; less sure elsewhere.</source>
        <translation>用一句英文描述照片，并显示它看的位置。擅长人物、狗、运动和户外；其他内容把握较小。</translation>
    </message>
    <message>
        <source>Fluent in Chinese and English, translates, writes simple code; gets facts wrong.</source>
        <translation>中英文流利，能翻译，会写简单代码；事实有时出错。</translation>
    </message>
    <message>
        <source>Speech to text in 99 languages; good English, fair Chinese.</source>
        <translation>把 99 种语言的语音变成文字；英语好，中文尚可。</translation>
    </message>
    <message>
        <source>The best here: good Chinese and English, good code, fit for summaries.</source>
        <translation>这里最好的模型：中英文俱佳，代码出色，适合做摘要。</translation>
    </message>
    <message>
        <source>Very fast and small. Plain questions and short texts in English; often shallow.</source>
        <translation>又快又小，适合简单的英文问题和短文；回答往往较浅。</translation>
    </message>
</context>
<context>
    <name>devices</name>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>NVIDIA graphics card (CUDA)</source>
        <translation>NVIDIA 显卡 (CUDA)</translation>
    </message>
    <message>
        <source>Graphics card (DirectML)</source>
        <translation>显卡 (DirectML)</translation>
    </message>
    <message>
        <source>Apple (CoreML)</source>
        <translation>Apple (CoreML)</translation>
    </message>
</context>
<context>
    <name>engine</name>
    <message>
        <source>A file of Pollux itself is missing or damaged: {file}</source>
        <translation>Pollux 自身的一个文件丢失或损坏：{file}</translation>
    </message>
    <message>
        <source>A file of the model {model} is missing: {reason}</source>
        <translation>模型 {model} 缺少一个文件：{reason}</translation>
    </message>
    <message>
        <source>A model called {name} is already installed.</source>
        <translation>名为 {name} 的模型已经安装。</translation>
    </message>
    <message>
        <source>A question is about one picture, and {file} is a video.</source>
        <translation>只能就一张图片提问，而 {file} 是视频。</translation>
    </message>
    <message>
        <source>Add --yes to remove it without a question.</source>
        <translation>加上 --yes 可不经询问直接移除。</translation>
    </message>
    <message>
        <source>Add --yes to write without a question.</source>
        <translation>加上 --yes 可不经询问直接写入。</translation>
    </message>
    <message>
        <source>Add a chat model, for example with: pollux models add smollm2-135m</source>
        <translation>请添加一个对话模型，例如：pollux models add smollm2-135m</translation>
    </message>
    <message>
        <source>Add one, for example with: pollux models add pollux-captioner</source>
        <translation>请添加一个，例如：pollux models add pollux-captioner</translation>
    </message>
    <message>
        <source>Add one, for example with: pollux models add smollm2-135m</source>
        <translation>请添加一个，例如：pollux models add smollm2-135m</translation>
    </message>
    <message>
        <source>Add one, for example with: pollux models add whisper-base</source>
        <translation>请添加一个，例如：pollux models add whisper-base</translation>
    </message>
    <message>
        <source>Add the model again.</source>
        <translation>请重新添加该模型。</translation>
    </message>
    <message>
        <source>Allow changes to it, or export text files beside the photos instead.</source>
        <translation>请允许修改它，或改为导出照片旁的文本文件。</translation>
    </message>
    <message>
        <source>Allow desktop apps to use it in Settings, Privacy &amp; security, Microphone.</source>
        <translation>请在“设置”›“隐私和安全性”›“麦克风”中允许桌面应用使用它。</translation>
    </message>
    <message>
        <source>Allow it in System Settings, Privacy &amp; Security, Microphone, and start Pollux again.</source>
        <translation>请在“系统设置”›“隐私与安全性”›“麦克风”中允许，然后重新启动 Pollux。</translation>
    </message>
    <message>
        <source>Allow writing to it, or set POLLUX_HOME to another folder.</source>
        <translation>请允许写入该文件夹，或把 POLLUX_HOME 设为其他文件夹。</translation>
    </message>
    <message>
        <source>Allow writing to this folder, or set POLLUX_HOME to another folder.</source>
        <translation>请允许写入该文件夹，或把 POLLUX_HOME 设为其他文件夹。</translation>
    </message>
    <message>
        <source>Another program is writing to the conversations in {folder}; the last change was not saved.</source>
        <translation>另一个程序正在写入 {folder} 中的对话记录，最近一次更改没有保存。</translation>
    </message>
    <message>
        <source>Ask in English, or add a model that knows Chinese, for example with: pollux models add qwen2.5-coder-0.5b</source>
        <translation>请用英语提问，或添加一个懂中文的模型，例如：pollux models add qwen2.5-coder-0.5b</translation>
    </message>
    <message>
        <source>Build the model with a checkout of Pollux (python3 dev.py export build NAME) and import its folder.</source>
        <translation>请在 Pollux 的源码目录中构建模型（python3 dev.py export build NAME），再导入其文件夹。</translation>
    </message>
    <message>
        <source>Change its permissions, or copy it elsewhere.</source>
        <translation>请更改它的权限，或者把它复制到别处。</translation>
    </message>
    <message>
        <source>Check its sound settings, or restart it.</source>
        <translation>请检查声音设置，或者重新启动电脑。</translation>
    </message>
    <message>
        <source>Check that it is not muted, and that System Settings, Privacy &amp; Security, Microphone allows Pollux.</source>
        <translation>请检查它没有静音，并且“系统设置”›“隐私与安全性”›“麦克风”允许 Pollux 使用。</translation>
    </message>
    <message>
        <source>Check that it is not muted, that its level in the sound settings is not zero, or choose another one.</source>
        <translation>请检查它没有静音、声音设置里的音量不是零，或者换一个麦克风。</translation>
    </message>
    <message>
        <source>Check that it is there and that you may read it.</source>
        <translation>请检查它是否存在，以及你是否有权读取。</translation>
    </message>
    <message>
        <source>Check that the file is there and may be read.</source>
        <translation>请检查该文件是否存在、是否允许读取。</translation>
    </message>
    <message>
        <source>Check that the file is there and that you may read it.</source>
        <translation>请检查该文件是否存在，以及你是否有权读取。</translation>
    </message>
    <message>
        <source>Check that you may read it.</source>
        <translation>请检查你是否有读取权限。</translation>
    </message>
    <message>
        <source>Check that you may read {folder}.</source>
        <translation>请检查你是否有权读取 {folder}。</translation>
    </message>
    <message>
        <source>Check that you may write to {folder}.</source>
        <translation>请检查你是否有权写入 {folder}。</translation>
    </message>
    <message>
        <source>Check the internet connection and try again: it goes on where it stopped.</source>
        <translation>请检查网络连接后重试，下载会从中断处继续。</translation>
    </message>
    <message>
        <source>Check the sound settings of the system.</source>
        <translation>请检查系统的声音设置。</translation>
    </message>
    <message>
        <source>Choose a chat model. To transcribe: pollux transcribe FILE --model {name}</source>
        <translation>请选择对话模型。要转写：pollux transcribe FILE --model {name}</translation>
    </message>
    <message>
        <source>Choose a file with sound.</source>
        <translation>请选择有声音的文件。</translation>
    </message>
    <message>
        <source>Choose a folder that holds an ONNX Runtime GenAI model.</source>
        <translation>请选择存放 ONNX Runtime GenAI 模型的文件夹。</translation>
    </message>
    <message>
        <source>Choose a folder with photos; hidden files are passed over.</source>
        <translation>请选择有照片的文件夹；隐藏文件会被略过。</translation>
    </message>
    <message>
        <source>Choose a model&apos;s folder or .zip file.</source>
        <translation>请选择模型的文件夹或 .zip 文件。</translation>
    </message>
    <message>
        <source>Choose a picture.</source>
        <translation>请选择一张图片。</translation>
    </message>
    <message>
        <source>Choose a recording.</source>
        <translation>请选择一个录音。</translation>
    </message>
    <message>
        <source>Choose a speech model, or add one with: pollux models add whisper-base</source>
        <translation>请选择语音模型，或者添加一个：pollux models add whisper-base</translation>
    </message>
    <message>
        <source>Choose a video.</source>
        <translation>请选择一个视频。</translation>
    </message>
    <message>
        <source>Choose an image model. To see which there are: pollux models available</source>
        <translation>请选择一个图片模型。查看有哪些：pollux models available</translation>
    </message>
    <message>
        <source>Choose another folder, or free some space.</source>
        <translation>请选择其他文件夹，或腾出一些空间。</translation>
    </message>
    <message>
        <source>Choose another folder.</source>
        <translation>请选择其他文件夹。</translation>
    </message>
    <message>
        <source>Choose another model. To describe: pollux describe FILE --model {name}</source>
        <translation>请选择其他模型。生成描述：pollux describe FILE --model {name}</translation>
    </message>
    <message>
        <source>Choose one of: {known}.</source>
        <translation>请从中选择：{known}。</translation>
    </message>
    <message>
        <source>Choose one with a sound track.</source>
        <translation>请选择有声音轨道的文件。</translation>
    </message>
    <message>
        <source>Choose one with the button at the top, or get one under Models.</source>
        <translation>请用顶部的按钮选择一个，或到“模型”页获取。</translation>
    </message>
    <message>
        <source>Choose one with the button at the top.</source>
        <translation>请用顶部的按钮选择一个。</translation>
    </message>
    <message>
        <source>Choose the files that it names.</source>
        <translation>请选择它所列出的文件。</translation>
    </message>
    <message>
        <source>Choose txt, srt, vtt or json.</source>
        <translation>请选择 txt、srt、vtt 或 json。</translation>
    </message>
    <message>
        <source>Close other programs and try again.</source>
        <translation>请关闭其他程序后重试。</translation>
    </message>
    <message>
        <source>Close other programs, begin a new conversation, or use a smaller model.</source>
        <translation>请关闭其他程序、开始新对话，或换用更小的模型。</translation>
    </message>
    <message>
        <source>Close other programs, or make the picture smaller.</source>
        <translation>请关闭其他程序，或把图片缩小。</translation>
    </message>
    <message>
        <source>Close the other program and try again.</source>
        <translation>请关闭另一个程序后重试。</translation>
    </message>
    <message>
        <source>Close the program that plays, and try again.</source>
        <translation>请关闭正在播放的程序，然后重试。</translation>
    </message>
    <message>
        <source>Close the program that records or is in a call, or choose another microphone.</source>
        <translation>请关闭正在录音或通话的程序，或者换一个麦克风。</translation>
    </message>
    <message>
        <source>Close whatever uses it, and check that you may write to {folder}.</source>
        <translation>请关闭正在使用它的程序，并检查你是否有权写入 {folder}。</translation>
    </message>
    <message>
        <source>Connect it again, or choose another one.</source>
        <translation>请重新连接，或者换一个。</translation>
    </message>
    <message>
        <source>Connect it, or choose another one.</source>
        <translation>请连接它，或者换一个。</translation>
    </message>
    <message>
        <source>Connect one, or switch it on in the sound settings of the system, and try again.</source>
        <translation>请连接一个麦克风，或者在系统的声音设置里启用它，然后重试。</translation>
    </message>
    <message>
        <source>Connect them, or switch them on in the sound settings of the system, and try again.</source>
        <translation>请连接它们，或者在系统的声音设置里启用，然后重试。</translation>
    </message>
    <message>
        <source>Convert it to UTF-8 first, for example with iconv.</source>
        <translation>请先转换为 UTF-8，例如使用 iconv。</translation>
    </message>
    <message>
        <source>Convert it to another, for example to FLAC or MP3.</source>
        <translation>请转换成别的格式，例如 FLAC 或 MP3。</translation>
    </message>
    <message>
        <source>Convert it to another, for example to MP4.</source>
        <translation>请转换为其他格式，例如 MP4。</translation>
    </message>
    <message>
        <source>Copy a picture or picture files, then paste again.</source>
        <translation>请先复制图片或图片文件，再粘贴。</translation>
    </message>
    <message>
        <source>Copy it again from where it came from, or save it as JPEG or PNG in another program.</source>
        <translation>请从来源重新复制，或用其他程序另存为 JPEG 或 PNG。</translation>
    </message>
    <message>
        <source>Copy it again from where it came from.</source>
        <translation>请从来源重新复制。</translation>
    </message>
    <message>
        <source>Copy it to another place and try that.</source>
        <translation>请复制到别处再试。</translation>
    </message>
    <message>
        <source>Copy or record it again; there is nothing in it.</source>
        <translation>请重新复制或录制；里面什么也没有。</translation>
    </message>
    <message>
        <source>Copy the part that matters.</source>
        <translation>请只复制需要的部分。</translation>
    </message>
    <message>
        <source>Copy {file} to a safe place; Pollux sets a damaged file aside when it starts.</source>
        <translation>请把 {file} 复制到安全的地方；Pollux 启动时会把损坏的文件另存一旁。</translation>
    </message>
    <message>
        <source>Do not use this model, or get it again from a source that you trust.</source>
        <translation>请不要使用这个模型，或从可信的来源重新获取。</translation>
    </message>
    <message>
        <source>Drop a folder of pictures, a model folder, a zipped model, or a text file.</source>
        <translation>请拖入图片文件夹、模型文件夹、打包的模型或文本文件。</translation>
    </message>
    <message>
        <source>Drop a text file, a model folder, or a zipped model.</source>
        <translation>请拖入文本文件、模型文件夹或打包的模型。</translation>
    </message>
    <message>
        <source>Drop it on the app&apos;s window, or save it as PNG.</source>
        <translation>请拖到应用窗口中，或另存为 PNG。</translation>
    </message>
    <message>
        <source>Export text files beside the photos instead.</source>
        <translation>请改为导出照片旁的文本文件。</translation>
    </message>
    <message>
        <source>Free some space on the disk that holds {folder}.</source>
        <translation>请在 {folder} 所在的磁盘上腾出一些空间。</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>请腾出一些空间，或者选择别的位置。</translation>
    </message>
    <message>
        <source>Free some space; what is on the screen is kept until Pollux is closed.</source>
        <translation>请腾出一些空间；在关闭 Pollux 之前，屏幕上的内容不会丢失。</translation>
    </message>
    <message>
        <source>Get the file again.</source>
        <translation>请重新获取该文件。</translation>
    </message>
    <message>
        <source>Get the model again, or build it with the exporter of Pollux.</source>
        <translation>请重新获取模型，或者用 Pollux 的导出程序构建。</translation>
    </message>
    <message>
        <source>Get the model again.</source>
        <translation>请重新获取该模型。</translation>
    </message>
    <message>
        <source>Give a folder with --overlay.</source>
        <translation>请用 --overlay 指定一个文件夹。</translation>
    </message>
    <message>
        <source>Give a folder with -o.</source>
        <translation>请用 -o 指定一个文件夹。</translation>
    </message>
    <message>
        <source>Give a question with --prompt, or on standard input.</source>
        <translation>请用 --prompt 或标准输入提供问题。</translation>
    </message>
    <message>
        <source>Give another name with -o.</source>
        <translation>请用 -o 指定别的名字。</translation>
    </message>
    <message>
        <source>Give another name.</source>
        <translation>请换一个名称。</translation>
    </message>
    <message>
        <source>If it is being recorded or copied, wait until that is done; else get it again.</source>
        <translation>如果它还在录制或复制，请等到完成；否则请重新获取。</translation>
    </message>
    <message>
        <source>Install Pollux again.</source>
        <translation>请重新安装 Pollux。</translation>
    </message>
    <message>
        <source>Install it (on Debian and Ubuntu: sudo apt-get install libportaudio2) and start Pollux again.</source>
        <translation>请安装它（Debian 和 Ubuntu 上：sudo apt-get install libportaudio2），然后重新启动 Pollux。</translation>
    </message>
    <message>
        <source>It is damaged or copy-protected. Try to play it, and convert it, or get it again.</source>
        <translation>它已损坏或受版权保护。请试着播放并转换它，或者重新获取。</translation>
    </message>
    <message>
        <source>It may be deleted.</source>
        <translation>可以把它删除。</translation>
    </message>
    <message>
        <source>It was made by a newer exporter: update Pollux, or get the model in an older format.</source>
        <translation>它由更新的导出程序生成：请更新 Pollux，或获取旧格式的模型。</translation>
    </message>
    <message>
        <source>Leave the language out to have it found, or give one of: {known}.</source>
        <translation>不指定语言就会自动识别，或者指定其中之一：{known}。</translation>
    </message>
    <message>
        <source>Let your user use sound devices (sudo usermod -aG audio USER), then log out and in again.</source>
        <translation>请允许你的用户使用声音设备（sudo usermod -aG audio USER），然后注销并重新登录。</translation>
    </message>
    <message>
        <source>Load it again.</source>
        <translation>请重新加载。</translation>
    </message>
    <message>
        <source>Look at it in another program, and save it as JPEG or PNG there.</source>
        <translation>请用其他程序打开，并在那里另存为 JPEG 或 PNG。</translation>
    </message>
    <message>
        <source>Look for it in {folder}.</source>
        <translation>请在 {folder} 中查找。</translation>
    </message>
    <message>
        <source>Make it smaller in another program first.</source>
        <translation>请先用其他程序把它缩小。</translation>
    </message>
    <message>
        <source>Move it away, or say with -o where the subtitles shall go.</source>
        <translation>请把它移走，或者用 -o 说明字幕放在哪里。</translation>
    </message>
    <message>
        <source>Name a file with -o, for example descriptions.csv.</source>
        <translation>请用 -o 指定一个文件，例如 descriptions.csv。</translation>
    </message>
    <message>
        <source>Name a file, or a folder that holds audio or video files.</source>
        <translation>请指定一个文件，或者装有音频或视频文件的文件夹。</translation>
    </message>
    <message>
        <source>Name a file, or a folder that holds pictures.</source>
        <translation>请指定一个文件，或有图片的文件夹。</translation>
    </message>
    <message>
        <source>No GPU for {device} was found (or its driver is missing), so the model runs on the CPU.</source>
        <translation>没有找到可用于 {device} 的显卡（或缺少驱动），模型将在 CPU 上运行。</translation>
    </message>
    <message>
        <source>No image model is installed.</source>
        <translation>没有安装图片模型。</translation>
    </message>
    <message>
        <source>No language is called &quot;{language}&quot;.</source>
        <translation>没有叫“{language}”的语言。</translation>
    </message>
    <message>
        <source>No loudspeaker or headphones were found.</source>
        <translation>没有找到扬声器或耳机。</translation>
    </message>
    <message>
        <source>No microphone was found.</source>
        <translation>没有找到麦克风。</translation>
    </message>
    <message>
        <source>No model called &quot;{name}&quot; is installed.</source>
        <translation>没有安装名为“{name}”的模型。</translation>
    </message>
    <message>
        <source>No model is installed.</source>
        <translation>没有安装模型。</translation>
    </message>
    <message>
        <source>No model is loaded.</source>
        <translation>没有加载模型。</translation>
    </message>
    <message>
        <source>No model that knows Chinese is installed, so what models wrote is in English.</source>
        <translation>没有安装懂中文的模型，因此模型写的内容是英文。</translation>
    </message>
    <message>
        <source>No speech model is installed.</source>
        <translation>没有安装语音模型。</translation>
    </message>
    <message>
        <source>Nothing can be written to the folder of the models: {reason}.</source>
        <translation>无法写入模型文件夹：{reason}。</translation>
    </message>
    <message>
        <source>Nothing was asked.</source>
        <translation>没有提出问题。</translation>
    </message>
    <message>
        <source>Nothing was written into the pictures: nobody can be asked.</source>
        <translation>没有写入图片：无法向用户确认。</translation>
    </message>
    <message>
        <source>Open it elsewhere and save it as PNG.</source>
        <translation>请在别处打开并另存为 PNG。</translation>
    </message>
    <message>
        <source>Open it under Speech.</source>
        <translation>请在“语音”页打开。</translation>
    </message>
    <message>
        <source>Parts of {file} are damaged; what is said there is missing.</source>
        <translation>{file} 有些部分已损坏；那里说的话缺失了。</translation>
    </message>
    <message>
        <source>Pictures cannot be described in {language}.</source>
        <translation>无法用{language}描述图片。</translation>
    </message>
    <message>
        <source>Pollux may not use the microphone.</source>
        <translation>Pollux 没有使用麦克风的权限。</translation>
    </message>
    <message>
        <source>Put it back, or take it from the list.</source>
        <translation>请把它放回去，或从列表中移除。</translation>
    </message>
    <message>
        <source>Remove it first: pollux models remove {name}</source>
        <translation>请先移除它：pollux models remove {name}</translation>
    </message>
    <message>
        <source>Remove the model and add it again, or use another.</source>
        <translation>请移除该模型后重新添加，或换用其他模型。</translation>
    </message>
    <message>
        <source>Remove the model and add it again.</source>
        <translation>请移除该模型后重新添加。</translation>
    </message>
    <message>
        <source>Save a frame of it as a picture, and ask about that.</source>
        <translation>请把其中一帧保存为图片，再就它提问。</translation>
    </message>
    <message>
        <source>Save it as JPEG or PNG.</source>
        <translation>请另存为 JPEG 或 PNG。</translation>
    </message>
    <message>
        <source>Save it as PNG elsewhere.</source>
        <translation>请在别处另存为 PNG。</translation>
    </message>
    <message>
        <source>Save it as PNG in the program that made it.</source>
        <translation>请用创建它的程序另存为 PNG。</translation>
    </message>
    <message>
        <source>Save its pages as pictures, or choose a picture.</source>
        <translation>请把它的页面保存为图片，或选择一张图片。</translation>
    </message>
    <message>
        <source>Say whether it may be replaced.</source>
        <translation>请说明是否可以替换它。</translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a longer context.</source>
        <translation>请缩短内容，或选择上下文更长的模型。</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>请缩短内容。</translation>
    </message>
    <message>
        <source>Take a screenshot with its own key and paste it here.</source>
        <translation>请用系统的截图键截屏，再粘贴到这里。</translation>
    </message>
    <message>
        <source>Take the pictures out of it and open those.</source>
        <translation>请把其中的图片取出来再打开。</translation>
    </message>
    <message>
        <source>The catalogue of models cannot be read: {reason}.</source>
        <translation>无法读取模型目录：{reason}。</translation>
    </message>
    <message>
        <source>The chat template of {model} cannot be read.</source>
        <translation>无法读取 {model} 的对话模板。</translation>
    </message>
    <message>
        <source>The chat template of {model} cannot be used: {reason}.</source>
        <translation>无法使用 {model} 的对话模板：{reason}。</translation>
    </message>
    <message>
        <source>The chat template of {model} has no place for pictures.</source>
        <translation>{model} 的对话模板没有放图片的位置。</translation>
    </message>
    <message>
        <source>The conversation is longer than {model} can read ({limit} tokens): its {count} oldest messages were left out.</source>
        <translation>对话超出了 {model} 能读取的长度（{limit} 词元），最早的 {count} 条消息已略去。</translation>
    </message>
    <message>
        <source>The conversations could not be read and a new file was begun.</source>
        <translation>无法读取对话记录，已新建文件。</translation>
    </message>
    <message>
        <source>The conversations could not be saved: {reason}.</source>
        <translation>无法保存对话记录：{reason}。</translation>
    </message>
    <message>
        <source>The conversations in {folder} cannot be written to; the last change was not saved.</source>
        <translation>无法写入 {folder} 中的对话记录，最近一次更改没有保存。</translation>
    </message>
    <message>
        <source>The damaged file was kept: {file}</source>
        <translation>损坏的文件已保留：{file}</translation>
    </message>
    <message>
        <source>The description is put together from what was found; a larger chat model would write it more fluently.</source>
        <translation>描述由识别结果拼接而成；更大的对话模型会写得更流畅。</translation>
    </message>
    <message>
        <source>The descriptions are not kept for a later run: {reason}</source>
        <translation>描述没有保留给下次使用：{reason}</translation>
    </message>
    <message>
        <source>The disk is full.</source>
        <translation>磁盘已满。</translation>
    </message>
    <message>
        <source>The disk is too full: {needed:.1f} GB are needed, {free:.1f} GB are free.</source>
        <translation>磁盘空间不足：需要 {needed:.1f} GB，剩余 {free:.1f} GB。</translation>
    </message>
    <message>
        <source>The download from {host} failed: {reason}.</source>
        <translation>从 {host} 下载失败：{reason}。</translation>
    </message>
    <message>
        <source>The download of {file} is not the file that was expected, and was thrown away.</source>
        <translation>下载到的 {file} 与预期不符，已丢弃。</translation>
    </message>
    <message>
        <source>The end of {file} is missing; it could be read until {time}.</source>
        <translation>{file} 的结尾缺失；只能读到 {time}。</translation>
    </message>
    <message>
        <source>The exporter cannot be started: {reason}.</source>
        <translation>无法启动导出程序：{reason}。</translation>
    </message>
    <message>
        <source>The file {file} is not as long as it should be.</source>
        <translation>文件 {file} 的长度不对。</translation>
    </message>
    <message>
        <source>The folder of the models cannot be read: {reason}.</source>
        <translation>无法读取模型文件夹：{reason}。</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be read: {reason}.</source>
        <translation>无法读取文件夹 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be written to: {reason}.</source>
        <translation>无法写入文件夹 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>The image model describes pictures, but answers no questions, and no chat model is installed.</source>
        <translation>图片模型只描述图片，不回答问题，而且没有安装对话模型。</translation>
    </message>
    <message>
        <source>The image model {model} is laid out in a way that Pollux cannot run: {name}.</source>
        <translation>图片模型 {model} 的结构 Pollux 无法运行：{name}。</translation>
    </message>
    <message>
        <source>The input is larger than {limit} MB.</source>
        <translation>输入超过 {limit} MB。</translation>
    </message>
    <message>
        <source>The input is not valid UTF-8 text (byte {at}).</source>
        <translation>输入不是有效的 UTF-8 文本（第 {at} 字节）。</translation>
    </message>
    <message>
        <source>The input {name} of the model {model} does not hold embeddings.</source>
        <translation>模型 {model} 的输入 {name} 不是嵌入向量。</translation>
    </message>
    <message>
        <source>The input {name} of the model {model} does not hold whole numbers.</source>
        <translation>模型 {model} 的输入 {name} 不是整数。</translation>
    </message>
    <message>
        <source>The loudspeaker is in use by another program.</source>
        <translation>扬声器正被另一个程序使用。</translation>
    </message>
    <message>
        <source>The loudspeaker was disconnected.</source>
        <translation>扬声器已断开。</translation>
    </message>
    <message>
        <source>The message is too long for {model}: it needs at least {tokens} tokens, and the limit is {limit}.</source>
        <translation>消息对 {model} 来说太长：至少需要 {tokens} 词元，上限为 {limit}。</translation>
    </message>
    <message>
        <source>The microphone &quot;{name}&quot; cannot be opened: {reason}.</source>
        <translation>无法打开麦克风“{name}”：{reason}。</translation>
    </message>
    <message>
        <source>The microphone &quot;{name}&quot; is in use by another program.</source>
        <translation>麦克风“{name}”正被另一个程序使用。</translation>
    </message>
    <message>
        <source>The microphone &quot;{name}&quot; is not connected.</source>
        <translation>麦克风“{name}”没有连接。</translation>
    </message>
    <message>
        <source>The microphone &quot;{name}&quot; was disconnected.</source>
        <translation>麦克风“{name}”已断开。</translation>
    </message>
    <message>
        <source>The microphone &quot;{name}&quot; was opened but gives no sound.</source>
        <translation>麦克风“{name}”已打开，但没有声音。</translation>
    </message>
    <message>
        <source>The microphone gives only silence.</source>
        <translation>麦克风里只有静音。</translation>
    </message>
    <message>
        <source>The microphone is in use by another program.</source>
        <translation>麦克风正被另一个程序使用。</translation>
    </message>
    <message>
        <source>The model could not be built: {reason}</source>
        <translation>无法构建模型：{reason}</translation>
    </message>
    <message>
        <source>The model file {file} cannot be read: {reason}.</source>
        <translation>无法读取模型文件 {file}：{reason}。</translation>
    </message>
    <message>
        <source>The model file {file} has the wrong size: {there} bytes instead of {wanted}.</source>
        <translation>模型文件 {file} 大小不对：实际 {there} 字节，应为 {wanted} 字节。</translation>
    </message>
    <message>
        <source>The model file {file} is cut short: {needed} bytes are needed, {size} are there.</source>
        <translation>模型文件 {file} 不完整：需要 {needed} 字节，只有 {size} 字节。</translation>
    </message>
    <message>
        <source>The model file {file} is damaged.</source>
        <translation>模型文件 {file} 已损坏。</translation>
    </message>
    <message>
        <source>The model file {file} is missing.</source>
        <translation>缺少模型文件 {file}。</translation>
    </message>
    <message>
        <source>The model file {file} of {model} is damaged.</source>
        <translation>{model} 的模型文件 {file} 已损坏。</translation>
    </message>
    <message>
        <source>The model file {file} of {model} is damaged: its contents have changed.</source>
        <translation>{model} 的模型文件 {file} 已损坏：内容发生了变化。</translation>
    </message>
    <message>
        <source>The model gave no usable answer (its numbers are not finite).</source>
        <translation>模型没有给出可用的回答（数值溢出）。</translation>
    </message>
    <message>
        <source>The model refers to a file outside its own folder: {file}.</source>
        <translation>模型引用了自身文件夹以外的文件：{file}。</translation>
    </message>
    <message>
        <source>The model {model} cannot be run: {reason}</source>
        <translation>无法运行模型 {model}：{reason}</translation>
    </message>
    <message>
        <source>The model {model} is closed.</source>
        <translation>模型 {model} 已关闭。</translation>
    </message>
    <message>
        <source>The model {model} is of the kind {kind!r}, which this version of Pollux cannot run.</source>
        <translation>模型 {model} 的类型是 {kind!r}，此版本的 Pollux 无法运行。</translation>
    </message>
    <message>
        <source>The model {model} uses something that this version of Pollux does not know: {reason}</source>
        <translation>模型 {model} 使用了此版本的 Pollux 不认识的内容：{reason}</translation>
    </message>
    <message>
        <source>The model {model} was made for a newer version of Pollux.</source>
        <translation>模型 {model} 是为更新版本的 Pollux 制作的。</translation>
    </message>
    <message>
        <source>The model {name} cannot be removed: {reason}.</source>
        <translation>无法移除模型 {name}：{reason}。</translation>
    </message>
    <message>
        <source>The model {name} is part of Pollux and cannot be removed.</source>
        <translation>模型 {name} 是 Pollux 自带的，不能移除。</translation>
    </message>
    <message>
        <source>The model {name} was not built.</source>
        <translation>模型 {name} 没有构建成功。</translation>
    </message>
    <message>
        <source>The model {name} was not removed: nobody can be asked.</source>
        <translation>没有移除模型 {name}：无法向用户确认。</translation>
    </message>
    <message>
        <source>The model&apos;s file {file} cannot be used: {reason}.</source>
        <translation>无法使用模型文件 {file}：{reason}。</translation>
    </message>
    <message>
        <source>The names of the model&apos;s classes cannot be read ({file}).</source>
        <translation>无法读取模型的类别名称（{file}）。</translation>
    </message>
    <message>
        <source>The pictures in {file} are in a format that Pollux does not know.</source>
        <translation>{file} 的画面格式 Pollux 不认识。</translation>
    </message>
    <message>
        <source>The pictures in {file} cannot be decoded.</source>
        <translation>无法解码 {file} 中的画面。</translation>
    </message>
    <message>
        <source>The prompt for the transcription is too long: it has {count} characters, at most {limit} are read.</source>
        <translation>转写提示太长：有 {count} 个字符，最多读取 {limit} 个。</translation>
    </message>
    <message>
        <source>The question is too long: {count} characters, and the limit is {limit}.</source>
        <translation>问题太长：有 {count} 个字符，上限为 {limit}。</translation>
    </message>
    <message>
        <source>The recording is kept in {other}.</source>
        <translation>录音保存在 {other}。</translation>
    </message>
    <message>
        <source>The recording was ended: the model is {minutes} minutes behind.</source>
        <translation>录音已结束：模型落后了 {minutes} 分钟。</translation>
    </message>
    <message>
        <source>The settings could not be saved in {folder}: {reason}.</source>
        <translation>无法把设置保存到 {folder}：{reason}。</translation>
    </message>
    <message>
        <source>The sound cannot be played: {reason}.</source>
        <translation>无法播放声音：{reason}。</translation>
    </message>
    <message>
        <source>The sound in {file} cannot be decoded.</source>
        <translation>无法解码 {file} 中的声音。</translation>
    </message>
    <message>
        <source>The sound library PortAudio cannot be loaded: {reason}.</source>
        <translation>无法加载声音库 PortAudio：{reason}。</translation>
    </message>
    <message>
        <source>The sound library PortAudio is missing.</source>
        <translation>缺少声音库 PortAudio。</translation>
    </message>
    <message>
        <source>The sound of {file} is in a format that Pollux does not know.</source>
        <translation>{file} 的声音格式 Pollux 不认识。</translation>
    </message>
    <message>
        <source>The sound system of this computer does not answer: {reason}.</source>
        <translation>这台电脑的声音系统没有响应：{reason}。</translation>
    </message>
    <message>
        <source>The speech model {model} does not know the language &quot;{language}&quot;.</source>
        <translation>语音模型 {model} 不懂“{language}”这种语言。</translation>
    </message>
    <message>
        <source>The speech model {model} is laid out in a way that Pollux cannot run: {name}.</source>
        <translation>语音模型 {model} 的结构 Pollux 无法运行：{name}。</translation>
    </message>
    <message>
        <source>The text in the picture was not read: {reason}</source>
        <translation>没有读取图中文字：{reason}</translation>
    </message>
    <message>
        <source>The text is not kept on the disk: {reason}. The sound is; export the text when you are done.</source>
        <translation>文字没有保存到磁盘：{reason}。声音已保存；完成后请导出文字。</translation>
    </message>
    <message>
        <source>The text is too long for {model}: it has {tokens} tokens, and the limit is {limit}.</source>
        <translation>文本对 {model} 来说太长：有 {tokens} 词元，上限为 {limit}。</translation>
    </message>
    <message>
        <source>The tokenizer of {model} is damaged.</source>
        <translation>{model} 的分词器已损坏。</translation>
    </message>
    <message>
        <source>The tokenizer of {model} lacks the token {token}.</source>
        <translation>{model} 的分词器缺少词元 {token}。</translation>
    </message>
    <message>
        <source>The transcript cannot be deleted: {reason}.</source>
        <translation>无法删除转写稿：{reason}。</translation>
    </message>
    <message>
        <source>The transcript cannot be written to {path}: {reason}.</source>
        <translation>无法把转写稿写到 {path}：{reason}。</translation>
    </message>
    <message>
        <source>The transcript {path} cannot be read.</source>
        <translation>无法读取转写稿 {path}。</translation>
    </message>
    <message>
        <source>There are no moving pictures in {file}.</source>
        <translation>{file} 中没有视频画面。</translation>
    </message>
    <message>
        <source>There are no pictures in {folder}.</source>
        <translation>{folder} 中没有图片。</translation>
    </message>
    <message>
        <source>There are too many stop texts, or one is empty or too long.</source>
        <translation>停止文本过多，或其中有空的或过长的。</translation>
    </message>
    <message>
        <source>There is no device called {device}.</source>
        <translation>没有名为 {device} 的设备。</translation>
    </message>
    <message>
        <source>There is no model called &quot;{name}&quot;.</source>
        <translation>没有名为“{name}”的模型。</translation>
    </message>
    <message>
        <source>There is no picture in the clipboard.</source>
        <translation>剪贴板里没有图片。</translation>
    </message>
    <message>
        <source>There is no picture in {folder}.</source>
        <translation>{folder} 中没有图片。</translation>
    </message>
    <message>
        <source>There is no recording in {folder}.</source>
        <translation>{folder} 中没有录音。</translation>
    </message>
    <message>
        <source>There is no room on the disk that holds {folder}; the last change was not saved.</source>
        <translation>{folder} 所在的磁盘已满，最近一次更改没有保存。</translation>
    </message>
    <message>
        <source>There is no sound in {file}.</source>
        <translation>{file} 中没有声音。</translation>
    </message>
    <message>
        <source>There is no style {style}.</source>
        <translation>没有 {style} 这种描述方式。</translation>
    </message>
    <message>
        <source>There is not enough memory to open {file}.</source>
        <translation>内存不足，无法打开 {file}。</translation>
    </message>
    <message>
        <source>There is not enough memory to read this picture.</source>
        <translation>内存不足，无法读取这张图片。</translation>
    </message>
    <message>
        <source>There is not enough memory to run {model}.</source>
        <translation>内存不足，无法运行 {model}。</translation>
    </message>
    <message>
        <source>There is nothing to continue: the prompt is empty.</source>
        <translation>没有可续写的内容：提示为空。</translation>
    </message>
    <message>
        <source>They hold until Pollux is closed. Free some space there or allow writing to it.</source>
        <translation>这些设置在关闭 Pollux 前有效。请在那里腾出空间或允许写入。</translation>
    </message>
    <message>
        <source>This build of Pollux cannot use {device}, so the model runs on the CPU.</source>
        <translation>此版本的 Pollux 无法使用 {device}，模型将在 CPU 上运行。</translation>
    </message>
    <message>
        <source>This desktop does not let programs see the screen.</source>
        <translation>这个桌面环境不允许程序查看屏幕。</translation>
    </message>
    <message>
        <source>This installation of Pollux cannot build models: it comes without the exporter.</source>
        <translation>此安装的 Pollux 不含导出程序，无法构建模型。</translation>
    </message>
    <message>
        <source>This model is made of several parts, which this version of Pollux cannot run.</source>
        <translation>这个模型由多个部分组成，此版本的 Pollux 无法运行。</translation>
    </message>
    <message>
        <source>This recording is being transcribed by another Pollux.</source>
        <translation>另一个 Pollux 正在转写这个录音。</translation>
    </message>
    <message>
        <source>Transcripts cannot be written as &quot;{format}&quot;.</source>
        <translation>转写稿不能写成“{format}”格式。</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>请稍后再试。</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>请重试。</translation>
    </message>
    <message>
        <source>Try again; if it happens again, the source has changed or something on the way alters it.</source>
        <translation>请重试；如果再次出现，说明来源已改变，或传输途中被改动。</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>请重试；日志中有更多信息。</translation>
    </message>
    <message>
        <source>Try to play it, and convert it, or get it again.</source>
        <translation>请试着播放并转换它，或者重新获取。</translation>
    </message>
    <message>
        <source>Update Pollux, or get the model in an older format.</source>
        <translation>请更新 Pollux，或获取旧格式的模型。</translation>
    </message>
    <message>
        <source>Update Pollux.</source>
        <translation>请更新 Pollux。</translation>
    </message>
    <message>
        <source>Use a code such as en or zh, or a name such as English or Chinese.</source>
        <translation>请使用代码，例如 en 或 zh，或者名称，例如 English 或 中文。</translation>
    </message>
    <message>
        <source>Use a copy without protection.</source>
        <translation>请使用没有保护的副本。</translation>
    </message>
    <message>
        <source>Use a model with one text decoder.</source>
        <translation>请使用只有一个文本解码器的模型。</translation>
    </message>
    <message>
        <source>Use another model, or get this one again.</source>
        <translation>请换用其他模型，或重新获取这个模型。</translation>
    </message>
    <message>
        <source>Use at most {most}, each of 1 to 200 characters.</source>
        <translation>最多 {most} 个，每个 1 至 200 个字符。</translation>
    </message>
    <message>
        <source>Use one of: {choices}.</source>
        <translation>请使用以下之一：{choices}。</translation>
    </message>
    <message>
        <source>Use one that begins with https://</source>
        <translation>请使用以 https:// 开头的地址</translation>
    </message>
    <message>
        <source>Verify the model&apos;s files, choose the CPU as device, or use another model.</source>
        <translation>请校验模型文件、改用 CPU，或换用其他模型。</translation>
    </message>
    <message>
        <source>Wait until it is done, or close the other program.</source>
        <translation>请等它完成，或关闭另一个程序。</translation>
    </message>
    <message>
        <source>Wait until it is done, or stop it.</source>
        <translation>请等它完成，或将其停止。</translation>
    </message>
    <message>
        <source>Wait until that is done, or stop it.</source>
        <translation>请等它完成，或者停止它。</translation>
    </message>
    <message>
        <source>What is transcribed cannot be kept in {folder}: {reason}. If this is interrupted, it begins anew.</source>
        <translation>转写的内容无法保存在 {folder}：{reason}。如果中断，将从头开始。</translation>
    </message>
    <message>
        <source>What was recorded is kept. A smaller model is faster.</source>
        <translation>已录下的内容会保留。更小的模型会更快。</translation>
    </message>
    <message>
        <source>What was recorded until then is kept. Connect it again to go on.</source>
        <translation>在此之前录下的内容已保留。重新连接后可以继续。</translation>
    </message>
    <message>
        <source>Write something first.</source>
        <translation>请先输入内容。</translation>
    </message>
    <message>
        <source>You have no permission to read {file}.</source>
        <translation>你没有读取 {file} 的权限。</translation>
    </message>
    <message>
        <source>{advice}</source>
        <translation>{advice}</translation>
    </message>
    <message>
        <source>{device} failed, so the model now runs on the CPU. The reason given: {reason}</source>
        <translation>{device} 出错，模型已改用 CPU 运行。原因：{reason}</translation>
    </message>
    <message>
        <source>{file} cannot be drawn: it is damaged or is no SVG file.</source>
        <translation>无法绘制 {file}：它已损坏，或不是 SVG 文件。</translation>
    </message>
    <message>
        <source>{file} cannot be imported: {reason}.</source>
        <translation>无法导入 {file}：{reason}。</translation>
    </message>
    <message>
        <source>{file} cannot be read: {reason}.</source>
        <translation>无法读取 {file}：{reason}。</translation>
    </message>
    <message>
        <source>{file} cannot be written to {folder} ({reason}). The transcript is kept in {path}.</source>
        <translation>无法把 {file} 写到 {folder}（{reason}）。转写稿保存在 {path}。</translation>
    </message>
    <message>
        <source>{file} cannot be written: {reason}.</source>
        <translation>无法写入 {file}：{reason}。</translation>
    </message>
    <message>
        <source>{file} cannot hold a description: only JPEG, PNG and WebP files get one without being coded again.</source>
        <translation>{file} 不能写入描述：只有 JPEG、PNG 和 WebP 文件无需重新编码即可写入。</translation>
    </message>
    <message>
        <source>{file} could not be written: {reason}.</source>
        <translation>无法写入 {file}：{reason}。</translation>
    </message>
    <message>
        <source>{file} did not come out right with its description; it was left as it is.</source>
        <translation>{file} 写入描述后结果不正确，原文件保持不变。</translation>
    </message>
    <message>
        <source>{file} does not exist.</source>
        <translation>{file} 不存在。</translation>
    </message>
    <message>
        <source>{file} has more than the {limit} megapixels that can be opened.</source>
        <translation>{file} 超过了可打开的上限（{limit} 百万像素）。</translation>
    </message>
    <message>
        <source>{file} is a JPEG XL picture, which cannot be opened here.</source>
        <translation>{file} 是 JPEG XL 图片，在这里无法打开。</translation>
    </message>
    <message>
        <source>{file} is a MIDI file: it holds notes and no sound.</source>
        <translation>{file} 是 MIDI 文件：里面是音符，没有声音。</translation>
    </message>
    <message>
        <source>{file} is a PDF document, not a picture.</source>
        <translation>{file} 是 PDF 文档，不是图片。</translation>
    </message>
    <message>
        <source>{file} is a drawing (PostScript or Windows metafile) that needs another program to be painted.</source>
        <translation>{file} 是绘图文件（PostScript 或 Windows 图元文件），需要其他程序才能绘制。</translation>
    </message>
    <message>
        <source>{file} is a folder.</source>
        <translation>{file} 是文件夹。</translation>
    </message>
    <message>
        <source>{file} is a playlist: it names other files and holds no sound.</source>
        <translation>{file} 是播放列表：只列出其他文件，本身没有声音。</translation>
    </message>
    <message>
        <source>{file} is a video without sound.</source>
        <translation>{file} 是没有声音的视频。</translation>
    </message>
    <message>
        <source>{file} is an SVG drawing, which only the app can open.</source>
        <translation>{file} 是 SVG 图形，只有应用窗口能打开。</translation>
    </message>
    <message>
        <source>{file} is an archive or an office document, not a picture.</source>
        <translation>{file} 是压缩包或办公文档，不是图片。</translation>
    </message>
    <message>
        <source>{file} is being downloaded by another Pollux.</source>
        <translation>另一个 Pollux 正在下载 {file}。</translation>
    </message>
    <message>
        <source>{file} is copy-protected (DRM) and cannot be read.</source>
        <translation>{file} 受版权保护 (DRM)，无法读取。</translation>
    </message>
    <message>
        <source>{file} is damaged or cut short; only a part of the picture could be read.</source>
        <translation>{file} 已损坏或不完整，只能读出图片的一部分。</translation>
    </message>
    <message>
        <source>{file} is damaged or cut short; only a part of the video could be read.</source>
        <translation>{file} 已损坏或不完整，只能读出视频的一部分。</translation>
    </message>
    <message>
        <source>{file} is damaged or holds metadata that cannot be read; it was left as it is.</source>
        <translation>{file} 已损坏，或含有无法读取的元数据；文件保持不变。</translation>
    </message>
    <message>
        <source>{file} is damaged, or a picture of a rare kind: no part of it can be read.</source>
        <translation>{file} 已损坏，或是少见的图片类型：完全无法读取。</translation>
    </message>
    <message>
        <source>{file} is empty.</source>
        <translation>{file} 是空的。</translation>
    </message>
    <message>
        <source>{file} is neither sound nor video, or it is damaged.</source>
        <translation>{file} 既不是音频也不是视频，或者已损坏。</translation>
    </message>
    <message>
        <source>{file} is no longer there.</source>
        <translation>{file} 已经不在了。</translation>
    </message>
    <message>
        <source>{file} is no video that subtitles could go beside, and several cannot share standard output.</source>
        <translation>{file} 不是可以在旁边放字幕的视频，而且多个文件不能共用标准输出。</translation>
    </message>
    <message>
        <source>{file} is not a file.</source>
        <translation>{file} 不是文件。</translation>
    </message>
    <message>
        <source>{file} is not a picture, or it is damaged.</source>
        <translation>{file} 不是图片，或者已损坏。</translation>
    </message>
    <message>
        <source>{file} is not complete: its index is missing.</source>
        <translation>{file} 不完整：缺少索引。</translation>
    </message>
    <message>
        <source>{file} is sound or video, not a picture.</source>
        <translation>{file} 是音频或视频，不是图片。</translation>
    </message>
    <message>
        <source>{file} is text, not a picture.</source>
        <translation>{file} 是文本，不是图片。</translation>
    </message>
    <message>
        <source>{file} is there already.</source>
        <translation>{file} 已经存在。</translation>
    </message>
    <message>
        <source>{file} is too large to get a description.</source>
        <translation>{file} 太大，无法写入描述。</translation>
    </message>
    <message>
        <source>{file} is too large: at most {limit} MB can be drawn.</source>
        <translation>{file} 太大：最多可绘制 {limit} MB。</translation>
    </message>
    <message>
        <source>{file} is write-protected.</source>
        <translation>{file} 有写保护。</translation>
    </message>
    <message>
        <source>{file} was changed meanwhile.</source>
        <translation>{file} 在此期间被改动了。</translation>
    </message>
    <message>
        <source>{file} was transcribed before, with the same model and options. This is what was kept of it.</source>
        <translation>{file} 以前用同样的模型和选项转写过。这是当时保留的内容。</translation>
    </message>
    <message>
        <source>{file} was transcribed until {time} before; going on from there.</source>
        <translation>{file} 以前转写到了 {time}；从那里继续。</translation>
    </message>
    <message>
        <source>{folder} is not a model: there is no {file} in it.</source>
        <translation>{folder} 不是模型：其中没有 {file}。</translation>
    </message>
    <message>
        <source>{host} does not hand out the file: it answered {code}.</source>
        <translation>{host} 没有提供该文件，返回了 {code}。</translation>
    </message>
    <message>
        <source>{model} cannot see pictures.</source>
        <translation>{model} 看不了图片。</translation>
    </message>
    <message>
        <source>{model} cannot see the picture: it answers from the description and what else was found.</source>
        <translation>{model} 看不到图片：它根据描述和其他识别结果回答。</translation>
    </message>
    <message>
        <source>{model} chats; it cannot transcribe speech.</source>
        <translation>{model} 用于对话，不能转写语音。</translation>
    </message>
    <message>
        <source>{model} could not put this into Chinese, so it stays in English.</source>
        <translation>{model} 没能译成中文，因此保留英文。</translation>
    </message>
    <message>
        <source>{model} describes pictures; it can do nothing else.</source>
        <translation>{model} 只用于描述图片，不能做别的。</translation>
    </message>
    <message>
        <source>{model} does not know Chinese.</source>
        <translation>{model} 不懂中文。</translation>
    </message>
    <message>
        <source>{model} is busy with something else.</source>
        <translation>{model} 正忙于别的任务。</translation>
    </message>
    <message>
        <source>{model} transcribes speech; it cannot chat.</source>
        <translation>{model} 用于转写语音，不能对话。</translation>
    </message>
    <message>
        <source>{name} cannot be read: {reason}.</source>
        <translation>无法读取 {name}：{reason}。</translation>
    </message>
    <message>
        <source>{name} is a folder without a model or pictures in it.</source>
        <translation>{name} 是文件夹，但其中既没有模型也没有图片。</translation>
    </message>
    <message>
        <source>{name} is longer than the model can read at once: only its beginning is quoted ({percent} %).</source>
        <translation>{name} 比模型一次能读的长：只引用了开头部分（{percent} %）。</translation>
    </message>
    <message>
        <source>{name} is not a text file.</source>
        <translation>{name} 不是文本文件。</translation>
    </message>
    <message>
        <source>{name} is too long for a message: {size} kB, at most {limit} kB can be taken.</source>
        <translation>{name} 太长，无法放进消息：{size} kB，最多 {limit} kB。</translation>
    </message>
    <message>
        <source>{name} must be between {least} and {most}, not {value}.</source>
        <translation>{name} 必须在 {least} 与 {most} 之间，不能是 {value}。</translation>
    </message>
    <message>
        <source>{near}</source>
        <translation>{near}</translation>
    </message>
    <message>
        <source>{path} does not exist.</source>
        <translation>{path} 不存在。</translation>
    </message>
    <message>
        <source>{path} is a file, and there are several pictures.</source>
        <translation>{path} 是一个文件，而图片有好几张。</translation>
    </message>
    <message>
        <source>{path} is a file, and there are several recordings.</source>
        <translation>{path} 是一个文件，而录音有好几个。</translation>
    </message>
    <message>
        <source>{path} is a folder; the descriptions go into one file.</source>
        <translation>{path} 是文件夹；描述要写入一个文件。</translation>
    </message>
    <message>
        <source>{path} is one of the pictures; it would be overwritten.</source>
        <translation>{path} 是其中一张图片；它会被覆盖。</translation>
    </message>
    <message>
        <source>{path} is the recording itself; the transcript would overwrite it.</source>
        <translation>{path} 就是录音本身；转写稿会覆盖它。</translation>
    </message>
    <message>
        <source>{path} is there already.</source>
        <translation>{path} 已经存在。</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>{url} is not a safe address.</source>
        <translation>{url} 不是安全的地址。</translation>
    </message>
</context>
<context>
    <name>images</name>
    <message>
        <source>Waits for an image model</source>
        <translation>等待图片模型</translation>
    </message>
    <message>
        <source>Waits</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>Described, unsure</source>
        <translation>已描述，没有把握</translation>
    </message>
    <message>
        <source>Not described yet</source>
        <translation>还没有描述</translation>
    </message>
    <message>
        <source>Is being described</source>
        <translation>正在描述</translation>
    </message>
    <message>
        <source>Stops</source>
        <translation>正在停止</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Described</source>
        <translation>已描述</translation>
    </message>
    <message>
        <source>Something broke; see the log.</source>
        <translation>出了点问题，请查看日志。</translation>
    </message>
    <message>
        <source>Unsure</source>
        <translation>没有把握</translation>
    </message>
    <message>
        <source>Sure</source>
        <translation>有把握</translation>
    </message>
    <message>
        <source>Fairly sure</source>
        <translation>比较有把握</translation>
    </message>
    <message>
        <source>Somewhat sure</source>
        <translation>有一些把握</translation>
    </message>
    <message>
        <source>{words} · {percent} %</source>
        <translation>{words} · {percent} %</translation>
    </message>
    <message>
        <source>worded by {model}</source>
        <translation>由 {model} 撰写</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>{width} × {height} pixels</source>
        <translation>{width} × {height} 像素</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>Taken</source>
        <translation>拍摄时间</translation>
    </message>
    <message>
        <source>Place</source>
        <translation>地点</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>相机</translation>
    </message>
    <message>
        <source>Description of the picture</source>
        <translation>图片的描述</translation>
    </message>
    <message>
        <source>Enter keeps the change, Escape leaves it as it was.</source>
        <translation>按 Enter 保留修改，按 Esc 放弃修改。</translation>
    </message>
    <message>
        <source>Not written: {reason}</source>
        <translation>未写入：{reason}</translation>
    </message>
    <message>
        <source>Edited</source>
        <translation>已修改</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片</translation>
    </message>
</context>
<context>
    <name>languages</name>
    <message>
        <source>Afrikaans</source>
        <translation>南非荷兰语</translation>
    </message>
    <message>
        <source>Amharic</source>
        <translation>阿姆哈拉语</translation>
    </message>
    <message>
        <source>Arabic</source>
        <translation>阿拉伯语</translation>
    </message>
    <message>
        <source>Assamese</source>
        <translation>阿萨姆语</translation>
    </message>
    <message>
        <source>Azerbaijani</source>
        <translation>阿塞拜疆语</translation>
    </message>
    <message>
        <source>Bashkir</source>
        <translation>巴什基尔语</translation>
    </message>
    <message>
        <source>Belarusian</source>
        <translation>白俄罗斯语</translation>
    </message>
    <message>
        <source>Bulgarian</source>
        <translation>保加利亚语</translation>
    </message>
    <message>
        <source>Bengali</source>
        <translation>孟加拉语</translation>
    </message>
    <message>
        <source>Tibetan</source>
        <translation>藏语</translation>
    </message>
    <message>
        <source>Breton</source>
        <translation>布列塔尼语</translation>
    </message>
    <message>
        <source>Bosnian</source>
        <translation>波斯尼亚语</translation>
    </message>
    <message>
        <source>Catalan</source>
        <translation>加泰罗尼亚语</translation>
    </message>
    <message>
        <source>Czech</source>
        <translation>捷克语</translation>
    </message>
    <message>
        <source>Welsh</source>
        <translation>威尔士语</translation>
    </message>
    <message>
        <source>Danish</source>
        <translation>丹麦语</translation>
    </message>
    <message>
        <source>German</source>
        <translation>德语</translation>
    </message>
    <message>
        <source>Greek</source>
        <translation>希腊语</translation>
    </message>
    <message>
        <source>English</source>
        <translation>英语</translation>
    </message>
    <message>
        <source>Spanish</source>
        <translation>西班牙语</translation>
    </message>
    <message>
        <source>Estonian</source>
        <translation>爱沙尼亚语</translation>
    </message>
    <message>
        <source>Basque</source>
        <translation>巴斯克语</translation>
    </message>
    <message>
        <source>Persian</source>
        <translation>波斯语</translation>
    </message>
    <message>
        <source>Finnish</source>
        <translation>芬兰语</translation>
    </message>
    <message>
        <source>Faroese</source>
        <translation>法罗语</translation>
    </message>
    <message>
        <source>French</source>
        <translation>法语</translation>
    </message>
    <message>
        <source>Galician</source>
        <translation>加利西亚语</translation>
    </message>
    <message>
        <source>Gujarati</source>
        <translation>古吉拉特语</translation>
    </message>
    <message>
        <source>Hausa</source>
        <translation>豪萨语</translation>
    </message>
    <message>
        <source>Hawaiian</source>
        <translation>夏威夷语</translation>
    </message>
    <message>
        <source>Hebrew</source>
        <translation>希伯来语</translation>
    </message>
    <message>
        <source>Hindi</source>
        <translation>印地语</translation>
    </message>
    <message>
        <source>Croatian</source>
        <translation>克罗地亚语</translation>
    </message>
    <message>
        <source>Haitian</source>
        <translation>海地语</translation>
    </message>
    <message>
        <source>Hungarian</source>
        <translation>匈牙利语</translation>
    </message>
    <message>
        <source>Armenian</source>
        <translation>亚美尼亚语</translation>
    </message>
    <message>
        <source>Indonesian</source>
        <translation>印度尼西亚语</translation>
    </message>
    <message>
        <source>Icelandic</source>
        <translation>冰岛语</translation>
    </message>
    <message>
        <source>Italian</source>
        <translation>意大利语</translation>
    </message>
    <message>
        <source>Japanese</source>
        <translation>日语</translation>
    </message>
    <message>
        <source>Javanese</source>
        <translation>爪哇语</translation>
    </message>
    <message>
        <source>Georgian</source>
        <translation>格鲁吉亚语</translation>
    </message>
    <message>
        <source>Kazakh</source>
        <translation>哈萨克语</translation>
    </message>
    <message>
        <source>Khmer</source>
        <translation>高棉语</translation>
    </message>
    <message>
        <source>Kannada</source>
        <translation>卡纳达语</translation>
    </message>
    <message>
        <source>Korean</source>
        <translation>韩语</translation>
    </message>
    <message>
        <source>Latin</source>
        <translation>拉丁语</translation>
    </message>
    <message>
        <source>Luxembourgish</source>
        <translation>卢森堡语</translation>
    </message>
    <message>
        <source>Lingala</source>
        <translation>林加拉语</translation>
    </message>
    <message>
        <source>Lao</source>
        <translation>老挝语</translation>
    </message>
    <message>
        <source>Lithuanian</source>
        <translation>立陶宛语</translation>
    </message>
    <message>
        <source>Latvian</source>
        <translation>拉脱维亚语</translation>
    </message>
    <message>
        <source>Malagasy</source>
        <translation>马达加斯加语</translation>
    </message>
    <message>
        <source>Maori</source>
        <translation>毛利语</translation>
    </message>
    <message>
        <source>Macedonian</source>
        <translation>马其顿语</translation>
    </message>
    <message>
        <source>Malayalam</source>
        <translation>马拉雅拉姆语</translation>
    </message>
    <message>
        <source>Mongolian</source>
        <translation>蒙古语</translation>
    </message>
    <message>
        <source>Marathi</source>
        <translation>马拉地语</translation>
    </message>
    <message>
        <source>Malay</source>
        <translation>马来语</translation>
    </message>
    <message>
        <source>Maltese</source>
        <translation>马耳他语</translation>
    </message>
    <message>
        <source>Burmese</source>
        <translation>缅甸语</translation>
    </message>
    <message>
        <source>Nepali</source>
        <translation>尼泊尔语</translation>
    </message>
    <message>
        <source>Dutch</source>
        <translation>荷兰语</translation>
    </message>
    <message>
        <source>Nynorsk</source>
        <translation>新挪威语</translation>
    </message>
    <message>
        <source>Norwegian</source>
        <translation>挪威语</translation>
    </message>
    <message>
        <source>Occitan</source>
        <translation>奥克语</translation>
    </message>
    <message>
        <source>Punjabi</source>
        <translation>旁遮普语</translation>
    </message>
    <message>
        <source>Polish</source>
        <translation>波兰语</translation>
    </message>
    <message>
        <source>Pashto</source>
        <translation>普什图语</translation>
    </message>
    <message>
        <source>Portuguese</source>
        <translation>葡萄牙语</translation>
    </message>
    <message>
        <source>Romanian</source>
        <translation>罗马尼亚语</translation>
    </message>
    <message>
        <source>Russian</source>
        <translation>俄语</translation>
    </message>
    <message>
        <source>Sanskrit</source>
        <translation>梵语</translation>
    </message>
    <message>
        <source>Sindhi</source>
        <translation>信德语</translation>
    </message>
    <message>
        <source>Sinhala</source>
        <translation>僧伽罗语</translation>
    </message>
    <message>
        <source>Slovak</source>
        <translation>斯洛伐克语</translation>
    </message>
    <message>
        <source>Slovenian</source>
        <translation>斯洛文尼亚语</translation>
    </message>
    <message>
        <source>Shona</source>
        <translation>绍纳语</translation>
    </message>
    <message>
        <source>Somali</source>
        <translation>索马里语</translation>
    </message>
    <message>
        <source>Albanian</source>
        <translation>阿尔巴尼亚语</translation>
    </message>
    <message>
        <source>Serbian</source>
        <translation>塞尔维亚语</translation>
    </message>
    <message>
        <source>Sundanese</source>
        <translation>巽他语</translation>
    </message>
    <message>
        <source>Swedish</source>
        <translation>瑞典语</translation>
    </message>
    <message>
        <source>Swahili</source>
        <translation>斯瓦希里语</translation>
    </message>
    <message>
        <source>Tamil</source>
        <translation>泰米尔语</translation>
    </message>
    <message>
        <source>Telugu</source>
        <translation>泰卢固语</translation>
    </message>
    <message>
        <source>Tajik</source>
        <translation>塔吉克语</translation>
    </message>
    <message>
        <source>Thai</source>
        <translation>泰语</translation>
    </message>
    <message>
        <source>Turkmen</source>
        <translation>土库曼语</translation>
    </message>
    <message>
        <source>Tagalog</source>
        <translation>他加禄语</translation>
    </message>
    <message>
        <source>Turkish</source>
        <translation>土耳其语</translation>
    </message>
    <message>
        <source>Tatar</source>
        <translation>鞑靼语</translation>
    </message>
    <message>
        <source>Ukrainian</source>
        <translation>乌克兰语</translation>
    </message>
    <message>
        <source>Urdu</source>
        <translation>乌尔都语</translation>
    </message>
    <message>
        <source>Uzbek</source>
        <translation>乌兹别克语</translation>
    </message>
    <message>
        <source>Vietnamese</source>
        <translation>越南语</translation>
    </message>
    <message>
        <source>Yiddish</source>
        <translation>意第绪语</translation>
    </message>
    <message>
        <source>Yoruba</source>
        <translation>约鲁巴语</translation>
    </message>
    <message>
        <source>Cantonese</source>
        <translation>粤语</translation>
    </message>
    <message>
        <source>Chinese</source>
        <translation>中文</translation>
    </message>
    <message>
        <source>languages not stated</source>
        <translation>未注明语言</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>{named} and {count} more</source>
        <translation>{named}等，另有 {count} 种</translation>
    </message>
    <message>
        <source>Chinese (simplified)</source>
        <translation>中文（简体）</translation>
    </message>
    <message>
        <source>Chinese (traditional)</source>
        <translation>中文（繁体）</translation>
    </message>
</context>
<context>
    <name>presets</name>
    <message>
        <source>Assistant</source>
        <translation>助手</translation>
    </message>
    <message>
        <source>Ask anything, think something through.</source>
        <translation>随便问，一起把事情想清楚。</translation>
    </message>
    <message>
        <source>Writer</source>
        <translation>写作</translation>
    </message>
    <message>
        <source>Draft, shorten or polish a text.</source>
        <translation>起草、缩写或润色文字。</translation>
    </message>
    <message>
        <source>Translator</source>
        <translation>翻译</translation>
    </message>
    <message>
        <source>Chinese to English, anything else to Chinese.</source>
        <translation>中文译成英文，其他语言译成中文。</translation>
    </message>
    <message>
        <source>Coder</source>
        <translation>编程</translation>
    </message>
    <message>
        <source>Write and explain code.</source>
        <translation>编写并讲解代码。</translation>
    </message>
    <message>
        <source>Customer service</source>
        <translation>客服</translation>
    </message>
    <message>
        <source>Answer a customer, politely and to the point.</source>
        <translation>礼貌、切题地答复客户。</translation>
    </message>
</context>
<context>
    <name>shortcuts</name>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Home</source>
        <translation>首页</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Speech</source>
        <translation>语音</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Preferences</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Search conversations</source>
        <translation>搜索对话</translation>
    </message>
    <message>
        <source>Go to the message field</source>
        <translation>转到输入框</translation>
    </message>
    <message>
        <source>Choose the model and the device</source>
        <translation>选择模型和设备</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>显示或隐藏侧栏</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>发送消息</translation>
    </message>
    <message>
        <source>New line in the message</source>
        <translation>在消息中换行</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>停止回答</translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation>重新回答</translation>
    </message>
    <message>
        <source>Edit your last message</source>
        <translation>编辑你的上一条消息</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>复制上一个回答</translation>
    </message>
    <message>
        <source>Copy, edit, answer again, on the message that has the focus</source>
        <translation>对选中的消息：复制、编辑、重新回答</translation>
    </message>
    <message>
        <source>Rename, delete, on a conversation in the list</source>
        <translation>对列表中的对话：重命名、删除</translation>
    </message>
    <message>
        <source>Choose recordings to transcribe, or pictures</source>
        <translation>选择要转写的录音，或选择图片</translation>
    </message>
    <message>
        <source>Begin or end a recording</source>
        <translation>开始或结束录音</translation>
    </message>
    <message>
        <source>Find in the transcript</source>
        <translation>在转写稿中查找</translation>
    </message>
    <message>
        <source>Play or pause, hear from here, edit, on a line of a transcript</source>
        <translation>在转写稿的一行上：播放或暂停、从这里开始听、编辑</translation>
    </message>
    <message>
        <source>Go to another picture, remove it; from word to word in a description</source>
        <translation>切换图片、移除图片；在描述中逐词移动</translation>
    </message>
    <message>
        <source>Enlarge, shrink, fit, on a picture</source>
        <translation>对图片：放大、缩小、适合窗口</translation>
    </message>
    <message>
        <source>Describe a copied picture, under Images</source>
        <translation>在“图片”页描述复制的图片</translation>
    </message>
    <message>
        <source>This list</source>
        <translation>显示本列表</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
</context>
<context>
    <name>speech</name>
    <message>
        <source>Waits for a speech model</source>
        <translation>等待语音模型</translation>
    </message>
    <message>
        <source>{count} s left</source>
        <translation>还剩 {count} 秒</translation>
    </message>
    <message>
        <source>{count} min left</source>
        <translation>还剩 {count} 分钟</translation>
    </message>
    <message>
        <source>{count} h left</source>
        <translation>还剩 {count} 小时</translation>
    </message>
    <message>
        <source>Something broke; see the log.</source>
        <translation>出了点问题，请查看日志。</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>正在录音</translation>
    </message>
    <message>
        <source>Finishing…</source>
        <translation>正在收尾…</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>Not transcribed yet</source>
        <translation>还没有转写</translation>
    </message>
    <message>
        <source>Stopped at {time}</source>
        <translation>停在 {time}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在开始…</translation>
    </message>
    <message>
        <source>{speed}× speed</source>
        <translation>{speed} 倍速</translation>
    </message>
    <message>
        <source>No speech was found</source>
        <translation>没有找到语音</translation>
    </message>
    <message>
        <source>The model is not sure of this ({percent} %). Listen to it again.</source>
        <translation>模型对这里没有把握（{percent} %）。请再听一遍。</translation>
    </message>
    <message>
        <source>Summarise this transcript in a few sentences, in the language in which it is written.</source>
        <translation>请用几句话总结这份转写稿，使用它本身的语言。</translation>
    </message>
</context>
<context>
    <name>tasks</name>
    <message>
        <source>Something broke; see the log.</source>
        <translation>出了点问题，请查看日志。</translation>
    </message>
    <message>
        <source>Cancelled. What was downloaded is kept.</source>
        <translation>已取消，已下载的部分会保留。</translation>
    </message>
    <message>
        <source>Cancelling…</source>
        <translation>正在取消…</translation>
    </message>
    <message>
        <source>Everything is as it should be.</source>
        <translation>一切完好。</translation>
    </message>
    <message>
        <source>Ready.</source>
        <translation>已就绪。</translation>
    </message>
    <message>
        <source>Models cannot be built here: use Models › Import folder.</source>
        <translation>此处无法构建模型：请用“模型”页的“导入文件夹”。</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在开始…</translation>
    </message>
    <message>
        <source>Loading</source>
        <translation>正在加载</translation>
    </message>
    <message>
        <source>Reading</source>
        <translation>正在读取</translation>
    </message>
    <message>
        <source>Downloading</source>
        <translation>正在下载</translation>
    </message>
    <message>
        <source>Unpacking</source>
        <translation>正在解包</translation>
    </message>
    <message>
        <source>Building the model</source>
        <translation>正在构建模型</translation>
    </message>
    <message>
        <source>Making it small</source>
        <translation>正在压缩</translation>
    </message>
    <message>
        <source>Measuring quality</source>
        <translation>正在检验质量</translation>
    </message>
    <message>
        <source>Copying</source>
        <translation>正在复制</translation>
    </message>
    <message>
        <source>Verifying</source>
        <translation>正在校验</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} / {total}</translation>
    </message>
    <message>
        <source>{speed}/s</source>
        <translation>{speed}/秒</translation>
    </message>
</context>
</TS>
